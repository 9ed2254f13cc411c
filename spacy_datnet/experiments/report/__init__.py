"""The report on the runs of a grid: one HTML page."""

from .page import write_report as write_report
