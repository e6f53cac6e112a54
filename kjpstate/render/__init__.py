"""Plan | Report | checks | backups -> lines for a screen, or one JSON value. Pure, but for
`stream`.

Every string passes the masks before it is shown.
"""
