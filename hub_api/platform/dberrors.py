"""PostgreSQL's errors by what they mean for the work in hand."""

import asyncpg

# PostgreSQL is away or out of means: it says nothing about the data, the same work can succeed later.
AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # class 53: disk full, too many connections, out of memory
    asyncpg.OperatorInterventionError,  # class 57: shutting down, starting up, cancelled by an operator
    asyncpg.PostgresSystemError,  # class 58: an I/O error of the server
    asyncpg.ReadOnlySQLTransactionError,  # failed over to a standby
)

# The data is fine, the moment was not: another transaction was in the way.
COLLIDED: tuple[type[Exception], ...] = (
    asyncpg.TransactionRollbackError,  # class 40: deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a table under a prepared statement; it is forgotten now
)

RETRYABLE = AWAY + COLLIDED

# Text that no column takes: NUL and what is no Unicode, in text and in jsonb.
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
