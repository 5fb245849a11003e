"""The pool: blocks of any size, allocated, written, read without a copy, recovered."""
