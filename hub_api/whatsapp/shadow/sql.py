"""The shadow's queries."""

from hub_api.platform import sqlfile

queries = sqlfile.load(__package__)
