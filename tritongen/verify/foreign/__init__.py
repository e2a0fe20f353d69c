"""The judgement of a foreign candidate: its form, a static allow-list, sandboxes, a verdict."""
