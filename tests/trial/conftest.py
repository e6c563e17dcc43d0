"""What tests of trials share."""

from hypothesis import settings

# Two cores may be busy with other things: how long an example takes says nothing.
settings.register_profile("brownout", deadline=None, max_examples=50)
settings.load_profile("brownout")
