"""What a run did, noted ahead on the host it changes; and the pure part of a rollback, which is
made of it.

`apply` notes, `rollback` reads. The face of this package: `record` (what is noted), `reverse` (a
record as a kind of the straight line, whose desired state is how things were before).
"""
