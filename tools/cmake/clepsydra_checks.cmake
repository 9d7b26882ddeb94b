# Checks of the source tree itself, run as tests.
