"""What the routes of auth take and give, with examples."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

_ID = "0199f2b1-1111-7aaa-8bbb-cccccccccccc"

Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{7,14}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=128)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=20)]


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """Made from a row; columns that are not named here stay inside."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class SignIn(Strict):
    """`cookie` for browsers: tokens come as httpOnly cookies and not in the body."""

    email: Email = Field(examples=["bia@example.com"])
    password: Password = Field(examples=["quatro girafas no telhado"])
    transport: Literal["cookie", "bearer"] = "bearer"


class SecondFactor(Strict):
    """A code for the challenge that signing in gave."""

    challenge: str = Field(max_length=2000, examples=["eyJhbGciOi…"])
    method: Literal["totp", "recovery", "message"] = "totp"
    code: Code = Field(examples=["123456"])


class ChallengeOnly(Strict):
    """The challenge that signing in gave."""

    challenge: str = Field(max_length=2000, examples=["eyJhbGciOi…"])


class Refresh(Strict):
    """Left out by browsers, whose cookie has it."""

    refresh_token: str | None = Field(None, max_length=200, examples=["q8mX…"])


class Tokens(BaseModel):
    """A session. With cookies `access_token` and `refresh_token` are null. `challenge`: a second factor is wanted first."""

    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(900, description="seconds of the access token")
    access_token: str | None = None
    refresh_token: str | None = Field(None, description="to be used once; its answer has the next one")
    scope: str | None = Field(None, description="of a key's token: what it may do")
    csrf_token: str | None = Field(None, description="with cookies: goes into X-CSRF-Token of every change")
    challenge: str | None = Field(None, description="send it with a code to /api/v1/auth/second-factor")
    methods: list[str] | None = Field(None, description="how the code may come")


class ForgotPassword(Strict):
    """Whose password."""

    email: Email = Field(examples=["bia@example.com"])


class NewPassword(Strict):
    """The token of the link in the invitation or in the mail, and the password wanted."""

    token: str = Field(max_length=200, examples=["Zx…"])
    password: Password = Field(examples=["quatro girafas no telhado"])


class ChangePassword(Strict):
    """Both: a session left open is no permission to take the account over."""

    current: Password = Field(examples=["quatro girafas no telhado"])
    new: Password = Field(examples=["sete baleias na varanda"])


class PasswordAgain(Strict):
    """The present password, for deeds that want it again."""

    password: Password = Field(examples=["quatro girafas no telhado"])


class CodeOnly(Strict):
    """A code of the authenticator app."""

    code: Code = Field(examples=["123456"])


class PendingFactor(BaseModel):
    """For the authenticator app; in force once a code of it was confirmed."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(BaseModel):
    """Shown this once; each opens once."""

    codes: list[str] = Field(examples=[["h3k9m-x2r7w"]])


class Session(Shown):
    """Where somebody is signed in."""

    id: UUID
    transport: str
    factors: list[str]
    address: str | None
    user_agent: str | None
    last_used_at: datetime
    expires_at: datetime
    created_at: datetime
    current: bool = False


class Sessions(BaseModel):
    """Those that are alive, newest first."""

    items: list[Session]


class User(Shown):
    """A person who works with the hub."""

    id: UUID = Field(examples=[_ID])
    email: str
    name: str
    role: str
    phone: str | None
    active: bool
    teams: list[UUID]
    second_factor_at: datetime | None
    last_sign_in_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="the ETag of changes")


class UserPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[User]
    next_cursor: str | None


class Me(BaseModel):
    """Who calls and what he may do."""

    kind: Literal["user", "key"]
    id: UUID
    name: str
    permissions: list[str]
    teams: list[UUID] | None = Field(description="whose objects are seen; null: of all teams")
    second_factor_required: bool = Field(description="only /api/v1/auth/totp is open until it is set up")


class NewUser(Strict):
    """Invited by e-mail to set a password, unless `invite` is false."""

    email: Email = Field(examples=["bia@example.com"])
    name: Name = Field(examples=["Bia Lima"])
    role: RoleName = Field("agent", examples=["agent"])
    phone: Phone | None = Field(None, examples=["+5511987654321"], description="E.164, for codes by message")
    invite: bool = True


class UserChange(Strict):
    """What is left out stays as it is."""

    email: Email | None = Field(None, examples=["bia.lima@example.com"])
    name: Name | None = Field(None, examples=["Bia Lima"])
    role: RoleName | None = Field(None, examples=["supervisor"])
    phone: Phone | None = Field(None, examples=["+5511987654321"])
    active: bool | None = Field(None, examples=[True])


class Role(BaseModel):
    """A named set of permissions."""

    name: str
    title: str
    builtin: bool
    permissions: list[str]
    all_teams: bool
    second_factor: bool


class Roles(BaseModel):
    """All roles, and every permission with its meaning."""

    items: list[Role]
    permissions: dict[str, str]


class NewRole(Strict):
    """A role of your own."""

    name: RoleName = Field(examples=["qualidade"])
    title: Name = Field(examples=["Qualidade"])
    permissions: list[str] = Field(max_length=100, examples=[["conversations:read"]])
    all_teams: bool = False
    second_factor: bool = False


class RoleChange(Strict):
    """What is left out stays as it is; of a built-in role `second_factor` only."""

    title: Name | None = Field(None, examples=["Qualidade"])
    permissions: list[str] | None = Field(None, max_length=100, examples=[["conversations:read"]])
    all_teams: bool | None = None
    second_factor: bool | None = Field(None, examples=[True])


class Team(Shown):
    """Members by id, queues by key."""

    id: UUID
    name: str
    members: list[UUID]
    queues: list[str]
    created_at: datetime


class Teams(BaseModel):
    """By name."""

    items: list[Team]


class NewTeam(Strict):
    """Its name."""

    name: Name = Field(examples=["Retenção"])


class QueueTeam(Strict):
    """Which team serves the queue; null: everybody."""

    team_id: UUID | None = Field(examples=[_ID])


class Key(Shown):
    """An API key without its secret."""

    id: UUID
    name: str
    scopes: list[str]
    user_id: UUID | None
    created_by: UUID | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class KeyPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Key]
    next_cursor: str | None


class NewKey(Strict):
    """Scopes are permissions; nobody gives what he has not."""

    name: Name = Field(examples=["ERP"])
    scopes: list[str] = Field(min_length=1, max_length=100, examples=[["business:write"]])
    expires_at: datetime | None = Field(None, examples=["2027-12-31T00:00:00Z"])


class MadeKey(BaseModel):
    """The key, shown this once."""

    id: UUID
    key: str


class AuditRow(Shown):
    """Who did what to which object."""

    id: UUID
    created_at: datetime
    actor: str
    actor_name: str | None = Field(
        description="the user's name, or the key's with that of whom it acts for; null: none, or no more"
    )
    action: str
    object_type: str
    object_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    detail: dict[str, Any]
    address: str | None
    trace_id: str | None


class AuditPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[AuditRow]
    next_cursor: str | None
