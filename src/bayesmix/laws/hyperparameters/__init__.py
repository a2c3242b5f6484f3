"""Best settings of training: learning rate, batch size, weight decay."""
