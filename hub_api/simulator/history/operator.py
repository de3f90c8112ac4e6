"""A simulated operator: its plans, customers, contracts, invoices, payments, outages and tickets.

Made from a seed alone: the same seed, size and period give the same operator, whatever the machine.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from hub_api.simulator.history.effects import Effects

MICROS = 1_000_000

# Area codes with their state and the share of our customers; DDDs from 31 up often lost the ninth digit in wa_id.
AREAS: tuple[tuple[int, str, str, float], ...] = (
    (11, "SP", "São Paulo", 0.22), (19, "SP", "Campinas", 0.08), (21, "RJ", "Rio de Janeiro", 0.12),
    (31, "MG", "Belo Horizonte", 0.11), (34, "MG", "Uberlândia", 0.04), (41, "PR", "Curitiba", 0.08),
    (48, "SC", "Florianópolis", 0.04), (51, "RS", "Porto Alegre", 0.07), (61, "DF", "Brasília", 0.05),
    (62, "GO", "Goiânia", 0.04), (71, "BA", "Salvador", 0.05), (81, "PE", "Recife", 0.05),
    (85, "CE", "Fortaleza", 0.03), (92, "AM", "Manaus", 0.02),
)  # fmt: skip

PLANS: tuple[tuple[str, str, str, int | None, int | None, float], ...] = (
    ("fibra-300", "Fibra 300 Mega", "fiber", 300, None, 89.90),
    ("fibra-500", "Fibra 500 Mega", "fiber", 500, None, 109.90),
    ("fibra-1g", "Fibra 1 Giga", "fiber", 1000, None, 149.90),
    ("controle-20", "Controle 20 GB", "mobile_control", None, 20, 54.90),
    ("pos-50", "Pós 50 GB", "mobile_postpaid", None, 50, 119.90),
    ("combo-500", "Combo Fibra 500 + Pós 50 GB", "combo", 500, 50, 199.90),
)
PLAN_WEIGHTS = (0.30, 0.26, 0.10, 0.16, 0.10, 0.08)

FIRST = [
    "Ana",
    "Maria",
    "João",
    "Pedro",
    "Lucas",
    "Mariana",
    "Camila",
    "Rafael",
    "Bruna",
    "Felipe",
    "Juliana",
    "Gustavo",
    "Larissa",
    "Thiago",
    "Patrícia",
    "Rodrigo",
    "Aline",
    "Marcelo",
    "Vanessa",
    "Eduardo",
    "Beatriz",
    "Carlos",
    "Fernanda",
    "Diego",
    "Letícia",
    "André",
    "Sandra",
    "Paulo",
    "Renata",
    "Leonardo",
    "Cláudia",
    "Márcio",
    "Tatiane",
    "Vinícius",
    "Débora",
    "Fábio",
    "Priscila",
    "Sérgio",
    "Adriana",
    "Antônio",
    "Francisca",
    "Raimundo",
    "Luzia",
    "José",
    "Rosângela",
    "Ivone",
    "Wesley",
    "Jéssica",
]
LAST = [
    "Silva",
    "Santos",
    "Oliveira",
    "Souza",
    "Rodrigues",
    "Ferreira",
    "Alves",
    "Pereira",
    "Lima",
    "Gomes",
    "Costa",
    "Ribeiro",
    "Martins",
    "Carvalho",
    "Almeida",
    "Lopes",
    "Soares",
    "Fernandes",
    "Vieira",
    "Barbosa",
    "Rocha",
    "Dias",
    "Nascimento",
    "Andrade",
    "Moreira",
    "Nunes",
    "Marques",
    "Machado",
    "Mendes",
    "Freitas",
    "Cardoso",
    "Ramos",
]


@dataclass(slots=True)
class Person:
    """A customer of the operator, with the traits that drive behaviour."""

    id: UUID
    contract: str  # the operator's id of this person's contract, which tells nothing of him
    name: str
    phone: str  # international digits, with the ninth
    wa_id: str  # as Meta would write it
    bsuid: str
    area: int
    state_code: str
    city: str
    region: str
    plan: str
    since: date
    talkative: float  # messages this person writes, relative to others
    patience: float  # how little waiting costs satisfaction
    reads_after_s: float  # median seconds until a delivered message is read
    cancelled_on: date | None = None
    troubles: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outage:
    """A network failure of one region."""

    id: str
    region: str
    started_at: datetime
    ended_at: datetime
    cause: str


# external id, contract, month, micros, currency, due, status, barcode, Pix code
Invoice = tuple[str, str, date, int, str, date, str, str, str]
# external id, invoice, micros, currency, method, paid at
Payment = tuple[str, str, int, str, str, datetime]
# external id, contract, kind, status, opened, scheduled for, closed, summary
Ticket = tuple[str, str, str, str, datetime, datetime, datetime | None, str]


@dataclass(slots=True)
class Operator:
    """Everything the operator's own systems know."""

    people: list[Person]
    outages: list[Outage]
    invoices: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)


def seeded_uuid(rng: Random, at: datetime) -> UUID:
    """UUIDv7 whose random bits come from the seed, so that a history can be made again."""
    value = (int(at.timestamp() * 1000) << 80) | rng.getrandbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


def make_operator(rng: Random, customers: int, first_day: date, days: int, effects: Effects) -> Operator:
    """An operator with `customers` people over `days` days from `first_day`."""
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
    people = make_people(rng, customers, start)
    operator = Operator(people, _outages(rng, start, days, effects))
    for person in people:
        _bill(rng, operator, person, first_day, days, effects)
    return operator


def make_people(rng: Random, count: int, start: datetime | None = None) -> list[Person]:
    """`count` customers with distinct phones, known to the operator before `start` (now)."""
    start = start or datetime.now(UTC)
    return [_person(rng, number, start) for number in range(count)]


def _person(rng: Random, number: int, start: datetime) -> Person:
    area, state, city, _ = rng.choices(AREAS, weights=[area[3] for area in AREAS])[0]
    # A running number times a prime: phones look scattered and are all distinct.
    phone = f"55{area}9{70_000_000 + number * 7_919 % 30_000_000:08d}"
    drops_nine = area >= 31 and rng.random() < 0.6
    return Person(
        id=seeded_uuid(rng, start - timedelta(days=rng.randrange(1, 30))),
        contract=f"CT{100_000 + number}",
        name=f"{rng.choice(FIRST)} {rng.choice(LAST)} {rng.choice(LAST)}",
        phone=phone,
        wa_id=phone[:4] + phone[5:] if drops_nine else phone,
        bsuid=f"BR.{1_500_000_000_000_000 + number * 104_729 + rng.randrange(1000)}",
        area=area,
        state_code=state,
        city=city,
        region=f"{state}-{area}",
        plan=rng.choices(PLANS, weights=PLAN_WEIGHTS)[0][0],
        since=(start - timedelta(days=int(rng.expovariate(1 / 700)) + 30)).date(),
        talkative=rng.gammavariate(1.5, 1 / 1.5),
        patience=rng.betavariate(4, 4),
        reads_after_s=rng.lognormvariate(5.0, 1.1),
    )


def _outages(rng: Random, start: datetime, days: int, effects: Effects) -> list[Outage]:
    found = [
        Outage(
            "OUT-PLANTED", effects.outage_region, effects.outage_at, effects.outage_at + timedelta(hours=effects.outage_hours),
            "Rompimento de fibra óptica",
        )
    ]  # fmt: skip
    for number in range(max(1, days // 6)):
        area, state, *_ = rng.choice(AREAS)
        began = start + timedelta(seconds=rng.randrange(days * 86_400))
        found.append(
            Outage(
                f"OUT-{number:04d}",
                f"{state}-{area}",
                began,
                began + timedelta(hours=rng.uniform(0.5, 3)),
                "Manutenção emergencial",
            )
        )
    return found


def _bill(rng: Random, operator: Operator, person: Person, first_day: date, days: int, effects: Effects) -> None:
    """Monthly invoices of the person's contract and the payments that followed."""
    price = next(plan[5] for plan in PLANS if plan[0] == person.plan)
    due_day = rng.choice((5, 10, 15, 20))
    punctual = rng.random()
    last_day = first_day + timedelta(days=days - 1)
    month = date(first_day.year, first_day.month, 1)
    while month <= last_day:
        due = month.replace(day=due_day)
        raised = person.plan == effects.raised_plan and month >= effects.raised_on.replace(day=1)
        amount = round(price * (1 + effects.raise_share * raised) * MICROS)
        paid_on = due + timedelta(days=round(rng.gauss(-2, 2) if punctual > 0.25 else rng.expovariate(1 / 9)))
        paid = paid_on <= last_day and rng.random() > 0.03
        status = "paid" if paid else "overdue" if due < last_day else "open"
        invoice = f"FAT{month:%Y%m}-{person.contract}"
        barcode = "".join(rng.choices("0123456789", k=47))
        operator.invoices.append(
            (invoice, person.contract, month, amount, "BRL", due, status, barcode, f"00020126PIX{invoice}")
        )
        if paid:
            paid_at = datetime(
                paid_on.year, paid_on.month, paid_on.day, rng.randrange(24), rng.randrange(60), tzinfo=UTC
            )
            operator.payments.append(
                (f"PG{invoice}", invoice, amount, "BRL", rng.choice(("pix", "boleto", "cartao")), paid_at)
            )
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
