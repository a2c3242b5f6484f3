"""A report in HTML, Markdown and JSON that a launch document can quote."""

from bayesmix.report.report import PAGE as PAGE
from bayesmix.report.report import write_report as write_report
