"""The whole gate for our own pairs, reference and wrapper in one warm worker."""
