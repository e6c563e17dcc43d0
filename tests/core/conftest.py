"""What all tests of the core share."""

from hypothesis import settings

# Two cores may be busy with other things: how long an example takes says nothing.
settings.register_profile("brownout", deadline=None)
settings.load_profile("brownout")
