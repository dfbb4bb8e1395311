"""The history of a table's rows, written by database triggers: bulk and SQL changes are seen too."""

import pghistory


def suivre(*, exclude=()):
    """Class decorator: keep each row as it was before every update or delete, with who and when.

    Nothing is kept of inserts. What came after is the next record, or today's row.
    """
    return pghistory.track(
        pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent(), exclude=list(exclude) or None
    )
