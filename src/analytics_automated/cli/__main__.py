"""`python -m analytics_automated.cli`."""

from analytics_automated.cli import main

main(prog_name="aa")
