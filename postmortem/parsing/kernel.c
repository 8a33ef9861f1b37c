/* The inner loops of reading a log: cutting a chunk into records and shapes, reading numbers, collecting texts.
 *
 * Optional: built by `hatch_build.py` where a C compiler is at hand, called through ctypes, which lets other threads run
 * meanwhile. Everything here is done in Python too (`shapes.py`, `columns.py`) and gives the same; the tests hold one
 * against the other. A number that is not read exactly here is left to Python.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 3

int32_t pm_version(void) { return VERSION; }

/* ---- shapes: records whose bytes are the same but for their digits ---- */

typedef struct { uint64_t hash; int64_t key; int32_t length; int32_t id; } slot;

typedef struct {
  slot *slots; int64_t size; int64_t used;   /* open addressing; an id of -1 is an empty slot */
  uint64_t *keys; int64_t filled; int64_t room; /* masked bytes in words */
  int64_t most; int64_t longest; int64_t most_words;
  uint64_t *shape; /* of the record at hand */
} table;

void pm_free(table *t) {
  if (t) { free(t->slots); free(t->keys); free(t->shape); free(t); }
}

table *pm_new(int64_t most, int64_t longest, int64_t most_bytes) {
  table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->size = 4096; t->room = 1 << 16; t->most = most; t->longest = longest; t->most_words = most_bytes / 8;
  t->slots = malloc(t->size * sizeof *t->slots);
  t->keys = malloc(t->room * 8);
  t->shape = malloc(longest + 16);
  if (!t->slots || !t->keys || !t->shape) { pm_free(t); return NULL; }
  for (int64_t i = 0; i < t->size; i++) t->slots[i].id = -1;
  return t;
}

/* sixteen bytes at once, where the compiler has such registers, and by halves where it has none */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The n bytes at p with every ASCII digit as '0', and zeros up to a whole number of 16: how many words that are. */
static int64_t masked(const uint8_t *p, int64_t n, uint64_t *to) {
  uint8_t *out = (uint8_t *)to;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    bytes16 v, digit;
    memcpy(&v, p + i, 16);
    digit = (bytes16)((v - '0') < 10);
    v = (v & ~digit) | (digit & '0');
    memcpy(out + i, &v, 16);
  }
  if (i < n) {
    memset(out + i, 0, 16);
    for (; i < n; i++) out[i] = (uint8_t)(p[i] - '0') < 10 ? '0' : p[i];
  }
  return (n + 15) / 16 * 2;
}

static inline uint64_t mix(uint64_t h, uint64_t w) {
  h = (h ^ w) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 32);
}

static int grow(table *t) {
  int64_t size = t->size * 2;
  slot *slots = malloc(size * sizeof *slots);
  if (!slots) return 0;
  for (int64_t i = 0; i < size; i++) slots[i].id = -1;
  for (int64_t i = 0; i < t->size; i++) {
    if (t->slots[i].id < 0) continue;
    int64_t at = t->slots[i].hash & (size - 1);
    while (slots[at].id >= 0) at = (at + 1) & (size - 1);
    slots[at] = t->slots[i];
  }
  free(t->slots);
  t->slots = slots; t->size = size;
  return 1;
}

/* the id of a record's shape; -1 where it has none */
static int32_t shape_of(table *t, const uint8_t *p, int64_t n) {
  if (n > t->longest) return -1;
  int64_t words = masked(p, n, t->shape);
  uint64_t hash = (uint64_t)n, other = ~hash; /* two, so that one multiplication need not wait for the last */
  for (int64_t i = 0; i < words; i += 2) {
    hash = mix(hash, t->shape[i]);
    other = mix(other, t->shape[i + 1]);
  }
  hash = mix(hash, other);
  int64_t at = hash & (t->size - 1);
  for (; t->slots[at].id >= 0; at = (at + 1) & (t->size - 1)) {
    slot *s = &t->slots[at];
    if (s->hash == hash && s->length == n && !memcmp(t->keys + s->key, t->shape, (size_t)words * 8)) return s->id;
  }
  if (t->used >= t->most || t->filled + words > t->most_words) return -1;
  if (t->filled + words > t->room) {
    int64_t room = t->room * 2 > t->filled + words ? t->room * 2 : t->filled + words;
    uint64_t *keys = realloc(t->keys, room * 8);
    if (!keys) return -1;
    t->keys = keys; t->room = room;
  }
  memcpy(t->keys + t->filled, t->shape, (size_t)words * 8);
  t->slots[at] = (slot){hash, t->filled, (int32_t)n, (int32_t)t->used};
  t->filled += words;
  int32_t id = (int32_t)t->used++;
  if (t->used * 2 > t->size) grow(t);
  return id;
}

/* ---- a chunk as records ---- */

/* Lines, records, and whether the bytes hold control codes at all. */
void pm_count(const uint8_t *p, int64_t n, int64_t *lines, int64_t *records, int64_t *codes) {
  int64_t lf = 0, cr = 0;
  for (int64_t i = 0; i < n; i++) { lf += p[i] == '\n'; cr += p[i] == '\r'; }
  if (n && p[n - 1] != '\n') lf++;
  *lines = lf; *records = lf + cr;
  *codes = memchr(p, 0x1b, n) || memchr(p, 0, n);
}

/* the length of the control code at p, 0 where there is none: ANSI of shapes.py */
static int64_t code(const uint8_t *p, const uint8_t *end) {
  if (*p == 0) return 1;
  if (*p != 0x1b || p + 1 >= end) return 0;
  const uint8_t *q = p + 2;
  if (p[1] == '[') {
    while (q < end && *q >= '0' && *q <= '?') q++;
    while (q < end && *q >= ' ' && *q <= '/') q++;
    return q < end && *q >= '@' && *q <= '~' ? q + 1 - p : 0;
  }
  if (p[1] == ']') {
    while (q < end && *q != 0x07 && *q != 0x1b && *q != '\r') q++;
    if (q < end && *q == 0x07) return q + 1 - p;
    if (q + 1 < end && *q == 0x1b && q[1] == '\\') return q + 2 - p;
    return 2;
  }
  return (p[1] >= '@' && p[1] <= 'Z') || (p[1] >= '\\' && p[1] <= '_') ? 2 : 0;
}

/* Cuts the n bytes at p. Lines with control codes are written without them behind the chunk, where 2n bytes fit. */
int64_t pm_scan(table *t, uint8_t *p, int64_t n, int64_t *start, int32_t *length, int32_t *shape, int32_t *line,
                int32_t *state, int64_t *line_start, int64_t codes) {
  int64_t records = 0, number = 0, side = n;
  for (int64_t at = 0; at < n; number++) {
    const uint8_t *lf = memchr(p + at, '\n', n - at);
    int64_t end = lf ? lf - p : n, from = at, to = end;
    line_start[number] = at;
    if (codes && (memchr(p + at, 0x1b, end - at) || memchr(p + at, 0, end - at))) {
      from = side;
      for (int64_t i = at; i < end;) {
        int64_t skip = code(p + i, p + end);
        if (skip) i += skip; else p[side++] = p[i++];
      }
      to = side;
    }
    for (int32_t i = 0;; i++) {
      const uint8_t *cr = memchr(p + from, '\r', to - from);
      int64_t stop = cr ? cr - p : to;
      start[records] = from;
      length[records] = (int32_t)(stop - from);
      shape[records] = shape_of(t, p + from, stop - from);
      line[records] = (int32_t)number;
      state[records++] = i;
      if (!cr) break;
      from = stop + 1;
    }
    at = end + 1;
  }
  return records;
}

/* ---- fields ---- */

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static int is_word(const uint8_t *p, int64_t n, const char *lower) {
  if ((int64_t)strlen(lower) != n) return 0;
  for (int64_t i = 0; i < n; i++)
    if ((p[i] | 0x20) != (uint8_t)lower[i]) return 0;
  return 1;
}

/* A number whose digits make an exact double and whose power of ten is one: then a single rounding is the right one. */
static int number(const uint8_t *p, int64_t n, int share, double *out) {
  if (n >= 2 && (*p == '\'' || *p == '"') && p[n - 1] == *p) { p++; n -= 2; }
  const uint8_t *end = p + n;
  if (share) {
    if (p == end || end[-1] != '%') return 0;
    end--;
    if (end > p && end[-1] == ' ') end--;
  }
  int negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  uint64_t digits = 0;
  int seen = 0, power = share ? -2 : 0;
  for (; p < end && ((*p >= '0' && *p <= '9') || *p == ','); p++) {
    if (*p == ',') continue;
    if (digits > (UINT64_MAX - 9) / 10) return 0;
    digits = digits * 10 + (*p - '0'); seen = 1;
  }
  if (p < end && *p == '.') {
    for (p++; p < end && *p >= '0' && *p <= '9'; p++, power--) {
      if (digits > (UINT64_MAX - 9) / 10) return 0;
      digits = digits * 10 + (*p - '0'); seen = 1;
    }
  }
  if (!seen) {
    double special;
    if (is_word(p, end - p, "nan")) special = NAN;
    else if (is_word(p, end - p, "inf") || is_word(p, end - p, "infinity")) special = INFINITY;
    else return 0;
    *out = negative ? -special : special;
    return !share;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    int minus = ++p < end && *p == '-', e = 0;
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++) if ((e = e * 10 + (*p - '0')) > 999) return 0;
    power += minus ? -e : e;
  }
  if (p != end || digits > (1ULL << 53) || power < -22 || power > 22) return 0;
  double value = power < 0 ? (double)digits / TENS[-power] : (double)digits * TENS[power];
  *out = negative ? -value : value;
  return 1;
}

/* values[i] of the text at start[i]; done[i] tells whether it was read */
void pm_numbers(const uint8_t *p, int64_t n, const int64_t *start, const int32_t *length, const uint8_t *share,
                double *values, uint8_t *done) {
  for (int64_t i = 0; i < n; i++) done[i] = (uint8_t)number(p + start[i], length[i], share[i], &values[i]);
}

/* whole numbers with thousands separators, 18 digits at most */
void pm_integers(const uint8_t *p, int64_t n, const int64_t *start, const int32_t *length, int64_t *values,
                 uint8_t *done) {
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *q = p + start[i], *end = q + length[i];
    int negative = q < end && *q == '-', digits = 0;
    if (q < end && (*q == '-' || *q == '+')) q++;
    int64_t value = 0;
    for (; q < end && ((*q >= '0' && *q <= '9') || *q == ',') && digits <= 18; q++)
      if (*q != ',') { value = value * 10 + (*q - '0'); digits++; }
    values[i] = negative ? -value : value;
    done[i] = q == end && digits > 0 && digits <= 18;
  }
}

/* How many values the records have, and how many bytes their texts take with a line feed behind each. */
void pm_measure(int64_t n, const int32_t *first, const int32_t *count, const int32_t *length, int64_t *values,
                int64_t *bytes) {
  int64_t v = 0, b = 0;
  for (int64_t i = 0; i < n; i++) {
    v += count[i];
    for (int32_t j = first[i]; j < first[i] + count[i]; j++) b += length[j] + 1;
  }
  *values = v; *bytes = b;
}

/* Every value of every record: rows first[i] to first[i] + count[i] of a table say where in the i-th record it stands. */
void pm_values(const uint8_t *p, int64_t n, const int32_t *first, const int32_t *count, const int64_t *start,
               const int64_t *first_place, const int32_t *place, const int32_t *constants, const int32_t *offset,
               const int32_t *length, const int32_t *share, int32_t *out_place, int32_t *out_constants, double *value,
               uint8_t *done, uint8_t *text) {
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int32_t j = first[i]; j < first[i] + count[i]; j++, at++) {
      const uint8_t *q = p + start[i] + offset[j];
      out_place[at] = (int32_t)first_place[i] + place[j];
      out_constants[at] = constants[j];
      done[at] = (uint8_t)number(q, length[j], share[j], &value[at]);
      memcpy(text, q, (size_t)length[j]);
      text += length[j];
      *text++ = '\n';
    }
  }
}

/* count[i] rows from first[i] on, for each i: the i of each row, and the row */
void pm_spread(int64_t n, const int32_t *first, const int32_t *count, int64_t *owner, int64_t *row) {
  for (int64_t i = 0, at = 0; i < n; i++)
    for (int32_t j = 0; j < count[i]; j++) { owner[at] = i; row[at++] = first[i] + j; }
}

/* the texts, each with a line feed behind it; returns how many bytes that makes */
int64_t pm_gather(const uint8_t *p, int64_t n, const int64_t *start, const int32_t *length, uint8_t *out) {
  uint8_t *to = out;
  for (int64_t i = 0; i < n; i++) {
    memcpy(to, p + start[i], (size_t)length[i]);
    to += length[i];
    *to++ = '\n';
  }
  return to - out;
}
