"""Loss against architecture: experts, sparsity, precision, teachers, parallelism."""
