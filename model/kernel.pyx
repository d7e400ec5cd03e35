# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""What `model.explanation` and `model.gaps` work out about one case of a model without pairs, in one compiled pass.

Those two say what is right, and are all that is needed. This gives the same to the last bit, in a quarter of their time
(docs/adr/0018); `tests/model/test_kernel.py` holds them together.
"""

from array import array
from math import dist, fsum

from cpython cimport array as arrays
from libc.math cimport exp, fabs, sqrt

cdef enum:
    MOST_TERMS = 256
    MOST_REFITS = 64
cdef long long LARGEST_TOTAL = 1 << 47
"""Up to here the sum of `MOST_REFITS` totals is exact as a float."""


cdef struct Answer:
    # What an answer to one term could do, were it not known: `drop` at most 0 and `gain` at least 0, in log-odds.
    int place
    int not_known
    double drop
    double gain


cdef class Kernel:
    """The tables of one model as one pass needs them."""

    cdef int _terms, _refits
    cdef double _unit, _quantile
    cdef Answer[MOST_TERMS] _by_gain
    cdef int[MOST_TERMS] _begins, _sizes
    cdef arrays.array _deviations, _bands
    cdef tuple _names, _slots, _tables, _contributions, _edges, _asked, _gains
    cdef object _intercept, _spread

    def __init__(self, model, double unit, double quantile):
        """`unit` is that of the refits' whole numbers, `quantile` how many of their deviations a range reaches."""
        # Each made anew: what stands in them is looked up without asking what it is.
        self._names = tuple(str(term.feature.name) for term in model.terms)
        self._edges = tuple(array("d", term.edges) for term in model.terms)
        self._slots = tuple(dict(term.slots) for term in model.terms)
        self._tables = tuple(tuple(term.table) for term in model.terms)
        self._contributions = tuple(tuple(term.contributions) for term in model.terms)
        self._intercept, self._bands, self._spread = model.intercept, array("d", model.bands), model.spread
        self._terms, self._unit, self._quantile = len(self._names), unit, quantile
        counts = {len(slot) for term in model.terms for slot in term.deviations} or {0}
        self._refits = max(counts)
        if model.pairs or self._terms > MOST_TERMS or self._refits > MOST_REFITS or len(counts) > 1:
            raise ValueError("a model with pairs, or with more terms or refits than there is room for")
        self._deviations = array("q")
        for place, term in enumerate(model.terms):
            self._sizes[place] = len(self._tables[place])
            if len(self._contributions[place]) != self._sizes[place] or (
                term.deviations and len(term.deviations) != self._sizes[place]
            ):
                raise ValueError("a term whose columns have not the same length")
            self._begins[place] = len(self._deviations) if term.deviations else -1
            self._deviations.extend([round(one * unit) for slot in term.deviations for one in slot])
        by_gain = model.by_gain
        self._asked, self._gains = by_gain.terms, by_gain.gains
        for rank in range(self._terms):
            self._by_gain[rank] = Answer(
                by_gain.places[rank], by_gain.not_known[rank], by_gain.drops[rank], by_gain.gains[rank]
            )

    def look(self, dict values):
        """See `kernel.pyi`."""
        cdef int place, rank, slot, terms = self._terms
        cdef int[MOST_TERMS] slots, order
        cdef double[MOST_TERMS] sizes
        cdef double margin, reach, lowest, highest
        cdef object value, found, contribution
        cdef list own = [self._intercept], shown = [], places = []
        for place in range(terms):
            value = values[<str>self._names[place]]
            found = (<dict>self._slots[place]).get(value)
            if found is not None:
                slot = found
            elif type(value) is int or type(value) is float:
                found = slot = above(self._edges[place], value)
            else:
                raise KeyError(value)
            if not 0 <= slot < self._sizes[place]:
                raise IndexError(slot)
            slots[place] = slot
            places.append(found)
            own.append((<tuple>self._tables[place])[slot])
            contribution = (<tuple>self._contributions[place])[slot]
            shown.append(contribution)
            insert(fabs(contribution), place, sizes, order)
        total = fsum(own)
        margin = total
        reach = self._quantile * self._reach(slots, places)
        score, low, high = probability(margin), probability(margin - reach), probability(margin + reach)

        cdef list asked = [], gains = [], lows = [], highs = []
        cdef Answer answer
        lowest = highest = margin
        for rank in range(terms):
            answer = self._by_gain[rank]
            if slots[answer.place] == answer.not_known:
                lowest += answer.drop
                highest += answer.gain
                asked.append(self._asked[rank])
                gains.append(self._gains[rank])
                lows.append(probability(margin + answer.drop))
                highs.append(probability(margin + answer.gain))
        return (
            (tuple(places), total, score, (low, high), above(self._bands, margin) + 1, tuple(shown), ordered(order, terms)),
            (asked, gains, lows, highs, (probability(lowest), probability(highest))),
        )

    cdef double _reach(self, int* slots, list places) except -1:
        """Standard deviation over the refits, by the same operations as `model.refits`."""
        cdef long long[MOST_REFITS] totals
        cdef long long* deviations = self._deviations.data.as_longlongs
        cdef long long sum_of_totals = 0
        cdef int place, refit, begin, refits = self._refits
        if not refits:
            return 0.0
        for refit in range(refits):
            totals[refit] = 0
        for place in range(self._terms):
            begin = self._begins[place]
            if begin >= 0:
                begin += slots[place] * refits
                for refit in range(refits):
                    totals[refit] += deviations[begin + refit]
        cdef list margins = []
        for refit in range(refits):
            if not -LARGEST_TOTAL < totals[refit] < LARGEST_TOTAL:
                return self._spread(places)
            sum_of_totals += totals[refit]
            margins.append(<double>totals[refit])
        mean = <double>sum_of_totals / <double>refits
        return dist(margins, [mean] * refits) / self._unit / sqrt(max(refits - 1, 1))


cdef inline int above(arrays.array sorted_numbers, double number):
    """As `bisect.bisect_right`; there are few to look through."""
    cdef double* numbers = sorted_numbers.data.as_doubles
    cdef int at = 0, count = len(sorted_numbers)
    while at < count and numbers[at] <= number:
        at += 1
    return at


cdef inline double probability(double margin) noexcept:
    """As `model.additive.probability`."""
    cdef double odds
    if margin >= 0:
        return 1.0 / (1.0 + exp(-margin))
    odds = exp(margin)
    return odds / (1.0 + odds)


cdef inline void insert(double size, int place, double* sizes, int* order) noexcept:
    """Puts a place among the `place` ones before it, the largest first and of equally large ones the first first."""
    cdef int at = place
    while at > 0 and sizes[at - 1] < size:
        sizes[at], order[at] = sizes[at - 1], order[at - 1]
        at -= 1
    sizes[at], order[at] = size, place


cdef tuple ordered(int* order, int count):
    return tuple([order[rank] for rank in range(count)])
