"""Machines sent by people: a tree and its readings over time in one file, made here and replayed here."""
