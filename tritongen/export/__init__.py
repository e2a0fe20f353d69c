"""Datasets on disk: records, shard files, manifest, card, and reading them back.

The parts are imported from their modules (`tritongen.export.reader`, ...), so that a program that
needs one does not load the libraries of the others.
"""
