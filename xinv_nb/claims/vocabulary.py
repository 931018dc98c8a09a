"""The words that the checker knows: what each phrase means, and which words say nothing by themselves.

Every entry was read by a person. A phrase that is not here is a word that the checker does not know, and counts against
the sentence in which it stands. Articles are left out of the phrases, as out of the sentences that are compared.
"""

from __future__ import annotations


def words_of(text: str) -> frozenset[str]:
    """Return the words of a line as a set."""
    return frozenset(text.split())


ARTICLES = words_of("the a an")

_PHRASES = """
quantity loss: loss | objective | loss function | objective function | value of loss
quantity gradient: slope | gradient | size of gradient | slope ( size of gradient ) | norm of gradient | gradient norm
quantity gradient: magnitude of gradient | length of gradient
quantity run: run | optimization | optimisation | fit

agent optimizer: optimizer | optimiser | somebody | we | they

pronoun it: it | its

move up: rose | rise | rises | risen | rising | increased | increase | increases | increasing | grew | grow | grows
move up: grown | growing | climbed | climb | climbs | climbing | went up | go up | goes up | gone up | going up
move up: raised | was raised | were raised | got higher | got larger | became larger | became higher | up | an upward
move down: fell | fall | falls | fallen | falling | decreased | decrease | decreases | decreasing | dropped | drop
move down: drops | dropping | declined | decline | declines | declining | went down | go down | goes down | gone down
move down: going down | came down | come down | comes down | coming down | shrank | shrink | shrinks | shrunk | sank
move down: sink | sunk | lowered | reduced | brought down | bring down | cut | reduction | down | got lower
move down: got smaller | became smaller | became lower | went from down | diminished | brought | bring
move some: to get
move some: to bring | went | go | goes | going | gone | moved | move | moves | moving | changed | change | changes
move some: shifted | shift | shifts | on its way | on way
move flat: hardly changed | barely changed | hardly moved | barely moved | hardly any change | almost no change
move flat: nearly same | stayed nearly same | remained nearly same | almost constant
move flat: nearly constant | changed hardly | hardly changed any more | hardly changes | scarcely changed
move flat: stayed almost same | remained almost same | stayed almost constant | stayed nearly constant | flat
move flat: stayed flat | remained flat | was flat | almost unchanged | nearly unchanged | hardly changed: stayed
move stay: stayed | remained | did not move | did not change | never changed | never moved | stayed constant
move stay: remained constant | was constant | constant | unchanged | remained unchanged | stayed unchanged | kept

be was: was | is | were | are | became | becomes | been | being | be

reach at: reached | reaches | amounted | arrived | hit | came | found | to reach | was found | was reached

crosses sign: changed sign | changed its sign | changes sign
crosses through: crossed | crosses | passed through | went through

steady up: kept rising | kept growing | kept increasing | kept climbing | kept on rising | kept going up
steady up: got larger and larger | got higher and higher | got steeper and steeper | became larger and larger
steady up: became steeper and steeper | grew and grew | grew larger and larger | grew steadily
steady down: kept falling | kept decreasing | kept dropping | kept going down | kept on falling | kept shrinking
steady down: got smaller and smaller | got lower and lower | got flatter and flatter | became smaller and smaller
steady down: became flatter and flatter

mostly of: most

begin at: begin | start | started | started out | began | starts | begins | starting | beginning at | start with
begin at: started with

end at: end | ended | finished | ends | finishes | came out | ended up | ending | finally reached

pattern oscillation: went up and down by turns | up and down by turns | going up and down by turns | swung to and fro
pattern oscillation: went up and down | swung back and forth | swinging to and fro | swinging back and forth
pattern oscillation: oscillated | oscillates | oscillating | oscillation | zig-zagged | zigzagged | zig-zag
pattern oscillation: jumped back and forth | jumped to and fro | went to and fro | went back and forth | swung
pattern oscillation: kept going up and down | kept going up and down by turns | kept oscillating | going up and down
pattern oscillation: bounced back and forth | up and down | to and fro | back and forth
pattern divergence: diverged | diverges | exploded | explodes | blew up | blows up | divergence
pattern noise: noisy | was noisy | noise
pattern worse: got worse and worse | became worse and worse
pattern better: got better and better | became better and better
pattern convergence: converged | converges | convergence
pattern settling: levelled off | leveled off
pattern settling: settled | settled down | settles | settles down | settled at | settled near
pattern plateau: plateau | is plateau | there is plateau | was on plateau | plateaued | was plateau
pattern vanished: vanished | vanishes
pattern level: almost level in comparison | almost level | almost zero compared with start
pattern exactly level: level

pace fast: fast | quickly | rapidly | sharply | steeply | fast descent | quick
pace slow: slowly | slow | gradually | slow descent
only of: already | still

pace steady: steadily | smoothly | monotonically | continuously | without interruption

than higher: above where it started | far above where it started | above its start | well above where it started
than higher: higher | larger | greater | bigger | steeper | longer
than lower: below where it started | far below where it started | well below where it started
than lower: below its start | lower | smaller | flatter | shorter
than less: less
than more: more

extreme lowest: lowest one | lowest one of all | best one
extreme highest: highest one | worst one
extreme lowest: lowest | smallest | minimum | best | minimal | least | lowest of all | minimum of | best of all
extreme highest: highest | largest | maximum | worst | maximal | biggest | greatest | maximum of

never lower: never lower than | never below | never got below | never fell below | never went below | never under
never higher: never above | never higher than | never rose above | never got above | never went above | never exceeded

asked this: gradient asked for this | gradient called for this | which gradient asked for | which gradient called for
asked this: as gradient asked for | gradient asked this | as asked by gradient | following gradient
asked this: as gradient called for | gradient wanted this | along gradient | gradient asked for exactly this
asked this: as gradient demanded | gradient asked for that
asked opposite: gradient asked for opposite | against gradient | gradient called for opposite
asked opposite: gradient asked opposite | gradient asked for contrary | against its gradient
asked opposite: gradient wanted opposite
asked open: gradient asked | gradient asked for | gradient called for | as gradient asked | just as gradient asked

wants loss: would lower loss | would reduce loss | would decrease loss | would have lowered loss
wants loss: would have reduced loss | would have decreased loss | would bring loss down

credit for: accounts for | accounted for | account for | was responsible for | is responsible for | contributed to
credit for: made up | makes up | contributed | earned | contributes | mattered | matters
credit by: was due to | were due to | came from | comes from | is due to | was earned by | is earned by
credit by: is accounted for by | was accounted for by | accounted for by | earned by | from moving | by moving

of fall: of improvement | of progress | improvement | progress
of fall: of whole fall of loss | of total fall of loss | of decline of loss
of fall: of fall of loss | of drop of loss | of drop in loss | of decrease of loss | of decrease in loss
of fall: of reduction of loss | of reduction in loss | to fall of loss | of fall in loss | fall of loss | drop in loss

path along: along path | along the way

truth of: true value | true value of | true | true value being

near truth: close to its true value | near its true value | close to their true values | near their true values
near truth: close to true value | near true value | close to true values | near true values

far truth: far from its true value | far from their true values | far from true value

very-near truth: very close to its true value | very near its true value | very close to their true values
very-near truth: very close to true value | almost exactly at its true value | almost at its true value

over truth: above its true value | above true value | higher than its true value | larger than its true value
over truth: overshot its true value | overshot true value | greater than its true value

under truth: below its true value | below true value | lower than its true value | smaller than its true value
under truth: fell short of its true value | undershot its true value

at truth: at its true value | at true value

state nan: not number | nan | no number
state infinite: infinite | infinity
state not finite: not finite number | not finite | no finite number | no longer finite number | no longer finite
state not finite: not longer finite number

ending broken: broke off | crashed | breaks off
ending by hand: stopped run by hand | stopped run manually | stopped by hand | stopped manually | was stopped by hand
ending by hand: was stopped manually | stopped it by hand | interrupted by hand

first-time of: for first time | first time

last-time of: for last time | last time

all along: until end | to very end | until very end | right to end

all along: all along | all time | throughout | always | whole time | at all times | during whole run

at start: initial | starting
beyond start: than it began | than it started | than where it began | than where it started
at end: final

at start: at start | at beginning | at first | initially | in beginning | originally | at very start | in first place
at end: at end | in end | by end | at very end | now | in final iteration | at last iteration

then next: then | after that | afterwards | later | thereafter

further of: further | farther

first next: first | first of all | before ,

at only: at only iteration

approximate about: about | roughly | around | approximately | nearly | almost | close to | near | some

limit more: more than | over | at more than
limit less: less than | under

below than: below | under

above than: above

both of: both | each of

not: not | never | no | n't | neither | nor | none | did not | does not | hardly | without | nothing

preposition instead: instead of | rather than | compared with | compared to | as opposed to

most of: most of

cause of: because | because of | due to | led to | leads to | therefore | so that | thanks to | as a result | thus
cause of: so | hence | caused | caused by | owing to | since | for this reason | so as | in order to | made | causes
cause of: why

times 0.5: cut in half | was cut in half
times 0.5: halved | was halved | by half | half | half of | one half
times 2: doubled | was doubled | double | twice as large as | twice as large | twice as high as | twice as high
times 2: twice what it was
times 3: tripled | trebled
times 4: quadrupled
times 0.25: quarter | quarter of
times 0.333: third of | one third
times 0.2: fifth | fifth of
times 0.1: tenth | tenth of

every of: at every iteration | at each iteration | at all iterations | every iteration | each iteration
every of: in every iteration | in each iteration | in all iterations


as large: of it | of that | of its initial value | as large as | as large | as high as | as high | as big as | as big
as large: as much as | what it was | of what it was | of its initial size | of its starting value | its initial value

harmless gloss: ( gradient tells in which direction small steps help ) | ( single values of it jump up and down )
harmless gloss: ( middle value ) | ( other values serve nearly as well )

joint and: and | but | while | whereas | although | though | when | ; | : | , | ( | ) | – | — | → | where | yet
joint and: however | respectively

word strange: it is not true that | it is true that | not true that | true that | it is false that | of fall
word strange: change of | change in | changes of | changes in
word strange: not all | not both | not every | not always
word strange: had to | has to | have to | than before | at best | at worst | first half | second half
word strange: of drop | of decrease | of rise
lead as: which | that | as | just as | that is | what | having | who
"""
"""`kind value: phrase | phrase …`. Where several fit, the longest is taken."""

HARMLESS = words_of("has have had also value values of in their this there as well")
"""Words that may be left unread: alone, none of them changes what a sentence of known phrases says."""

PREPOSITIONS = words_of("from to by at with for between than near against per instead until on into")
"""Words that say what the number behind them is; left over, they make a clause unreadable."""

ITERATION = frozenset(["iteration", "iterations", "evaluation", "evaluations", "step", "steps"])

_TIMES = """
span: between ITER N and ITER? N
span: between N and N ITER
span: from ITER N to|until|till|through|up ITER? N
span: from ITER N up to ITER? N
since: from ITER N on|onwards|onward
since: from ITER N to end
since: since ITER N
since: after ITER N on?
until: until|till|to|before ITER N
at: at|in|by ITER N
at: ITER N
first: in|within|during|for|over first N ITER
first: first N ITER
extent: at|in|during K of N ITER
extent: at|in|during K out of N ITER
extent: at|in none of N ITER
count: over|in|within|for|during|after|took|needed|required all? N ITER
step: in|during|with first ITER
count: all N ITER
count: N ITER
"""
"""When something was, as patterns of words: ITER is a word for iteration, N a whole number, ? what may lack."""

IRREGULAR = {
    "flew": "fly", "flown": "fly", "ran": "run", "running": "run", "fell": "fall", "fallen": "fall", "rose": "rise",
    "risen": "rise", "went": "go", "gone": "go", "goes": "go", "hit": "hit", "hits": "hit", "came": "come",
    "broke": "break", "broken": "break", "left": "leave", "met": "meet", "lost": "lose", "began": "begin",
    "is": "be", "are": "be", "was": "be", "were": "be", "has": "have", "had": "have", "crossed": "cross",
}  # fmt: skip
"""Forms of verbs that events are often told with."""

UNITS = words_of(
    "km m cm mm nm μm s ms h min kg g mg t N kN J kJ W kW V mV A mA Pa kPa MPa GPa bar K °C °F Hz kHz m/s km/h m² m³ "
    "€ M€ $ EUR USD % ° rad deg points miles feet furlongs hours minutes seconds days years metres meters kilometres "
    "kilometers degrees percent"
)
"""Units that are read as such behind any number, beside those of the run: a wrong one is told from a strange word."""

UNIT_ALIASES = {
    "percent": "%", "minutes": "min", "minute": "min", "hours": "h", "hour": "h", "seconds": "s", "metres": "m",
    "meters": "m", "kilometres": "km", "kilometers": "km", "degrees": "°", "degree": "°", "deg": "°",
}  # fmt: skip

ZERO = frozenset(["zero"])
"""Words that are read as the number 0."""

WORDED_NUMBERS = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
                  "nine": 9.0, "ten": 10.0}  # fmt: skip


def _table() -> dict[str, list[tuple[tuple[str, ...], str, str]]]:
    found: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
    for line in _PHRASES.strip().splitlines():
        if not line:
            continue
        head, _, phrases = line.partition(": ")
        kind, _, value = head.partition(" ")
        for phrase in phrases.split(" | "):
            words = tuple(w for w in phrase.split() if w not in ARTICLES)
            found.setdefault(words[0], []).append((words, kind, value))
    for rows in found.values():
        rows.sort(key=lambda row: -len(row[0]))
    return found


def _times() -> list[tuple[str, tuple[str, ...]]]:
    rows = (line.split(": ") for line in _TIMES.strip().splitlines())
    return sorted(((kind, tuple(pattern.split())) for kind, pattern in rows), key=lambda row: -len(row[1]))


TIMES = _times()
"""The patterns of time, the longest first."""

TABLE = _table()
"""From the first word of a phrase to the phrases that begin with it, the longest first."""
