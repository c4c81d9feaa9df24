"""A_A (Analytics Automated): data-analysis pipelines as RESTful web services, by configuration."""

__version__ = "0.1.0"
