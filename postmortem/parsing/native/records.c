/* A chunk of a log cut into records, and each record's shape: its bytes with every digit as 0 (`shapes.py`).
 *
 * The files of this folder are the inner loops of reading a log. They are optional: `hatch_build.py` makes one library of
 * them where a C compiler is at hand, `kernel.py` calls it through ctypes, which lets other threads run meanwhile.
 * Everything here is done in Python too and gives the same; the tests hold one against the other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 5

int32_t pm_version(void) { return VERSION; }

typedef struct { uint64_t hash; int64_t key; int32_t length; int32_t id; } slot;

typedef struct {
  slot *slots; int64_t size; int64_t used;   /* open addressing; an id of -1 is an empty slot */
  uint8_t *keys; int64_t filled; int64_t room; /* masked bytes, each key in whole blocks */
  int64_t most; int64_t longest; int64_t most_bytes;
  uint8_t *shape; /* of the record at hand */
} table;

/* sixteen bytes at once, where the compiler has such registers, and by halves where it has none */
typedef uint8_t block __attribute__((vector_size(16)));
#define BLOCK ((int64_t)sizeof(block))

void pm_free(table *t) {
  if (t) { free(t->slots); free(t->keys); free(t->shape); free(t); }
}

table *pm_new(int64_t most, int64_t longest, int64_t most_bytes) {
  table *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->size = 4096; t->room = 1 << 19; t->most = most; t->longest = longest; t->most_bytes = most_bytes;
  t->slots = malloc(t->size * sizeof *t->slots);
  t->keys = malloc(t->room);
  t->shape = malloc(longest + 2 * BLOCK);
  if (!t->slots || !t->keys || !t->shape) { pm_free(t); return NULL; }
  for (int64_t i = 0; i < t->size; i++) t->slots[i].id = -1;
  return t;
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

/* ---- a block of bytes ---- */

typedef struct { uint64_t one, other; } sums; /* two, so that one multiplication need not wait for the last */

static inline uint64_t mix(uint64_t h, uint64_t w) {
  h = (h ^ w) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 32);
}

static inline void add(sums *s, block v) {
  uint64_t words[2];
  memcpy(words, &v, sizeof words);
  s->one = mix(s->one, words[0]);
  s->other = mix(s->other, words[1]);
}

static inline block masked(block v) {
  block digit = (block)((v - '0') < 10);
  return (v & ~digit) | (digit & '0');
}

/* the first `n` bytes of `v`, and zeros */
static inline block head(block v, int64_t n) {
  static const uint8_t KEEP[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  block keep;
  memcpy(&keep, KEEP + BLOCK - n, sizeof keep);
  return v & keep;
}

/* where in `v` the first LF, CR, NUL or ESC is; 16 where there is none */
static inline int64_t special(block v) {
  block found = (block)((v == '\n') | (v == '\r') | (v == 0) | (v == 0x1b));
#ifdef __SSE2__
  unsigned bits = (unsigned)__builtin_ia32_pmovmskb128((char __attribute__((vector_size(16))))found);
  return bits ? __builtin_ctz(bits) : BLOCK;
#else
  for (int64_t i = 0; i < BLOCK; i++) if (found[i]) return i;
  return BLOCK;
#endif
}

/* ---- a record ---- */

/* the id of the shape of n bytes that stands in t->shape, with its sums; -1 where there is no room for it */
static int32_t id_of(table *t, int64_t n, sums s) {
  int64_t bytes = (n + BLOCK - 1) / BLOCK * BLOCK;
  uint64_t hash = mix(mix(s.one, s.other), (uint64_t)n);
  int64_t at = hash & (t->size - 1);
  for (; t->slots[at].id >= 0; at = (at + 1) & (t->size - 1)) {
    slot *found = &t->slots[at];
    if (found->hash == hash && found->length == n && !memcmp(t->keys + found->key, t->shape, (size_t)bytes))
      return found->id;
  }
  if (t->used >= t->most || t->filled + bytes > t->most_bytes) return -1;
  if (t->filled + bytes > t->room) {
    int64_t room = t->room * 2 > t->filled + bytes ? t->room * 2 : t->filled + bytes;
    uint8_t *keys = realloc(t->keys, room);
    if (!keys) return -1;
    t->keys = keys; t->room = room;
  }
  memcpy(t->keys + t->filled, t->shape, (size_t)bytes);
  t->slots[at] = (slot){hash, t->filled, (int32_t)n, (int32_t)t->used};
  t->filled += bytes;
  int32_t id = (int32_t)t->used++;
  if (t->used * 2 > t->size) grow(t);
  return id;
}

/* the shape of the n bytes at p, behind which 16 more can be read; -1 where it has none */
static int32_t shape_of(table *t, const uint8_t *p, int64_t n) {
  if (n > t->longest) return -1;
  sums s = {0, 1};
  for (int64_t i = 0; i < n; i += BLOCK) {
    block v;
    memcpy(&v, p + i, sizeof v);
    v = head(masked(v), n - i < BLOCK ? n - i : BLOCK);
    memcpy(t->shape + i, &v, sizeof v);
    add(&s, v);
  }
  return id_of(t, n, s);
}

/* Of a record at p how far it goes, up to a LF or CR, or a NUL or ESC inside it, and its shape where it ends there. */
static int64_t extent(table *t, const uint8_t *p, int32_t *shape) {
  sums s = {0, 1};
  int64_t i = 0;
  for (;; i += BLOCK) {
    block v;
    memcpy(&v, p + i, sizeof v);
    int64_t n = special(v);
    if (i <= t->longest) {
      v = masked(v);
      if (n < BLOCK) v = head(v, n);
      memcpy(t->shape + i, &v, sizeof v);
      if (n) add(&s, v);
    }
    if (n < BLOCK) {
      int ends = p[i + n] == '\n' || p[i + n] == '\r';
      *shape = ends && i + n <= t->longest ? id_of(t, i + n, s) : -1;
      return i + n;
    }
  }
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

/* Cuts the n bytes at p, of 2n + 64 that are there: records with control codes are written without them behind the chunk.
 * `counts` gives how many lines and records there are; -1 where they do not fit into `room`. */
int64_t pm_scan(table *t, uint8_t *p, int64_t n, int64_t room, int64_t *start, int32_t *length, int32_t *shape,
                int32_t *line, int32_t *state, int64_t *line_start, int64_t *lines) {
  int64_t records = 0, number = 0, side = n + 1;
  int32_t in_line = 0;
  p[n] = '\n';
  for (int64_t at = 0; at < n;) {
    if (records == room) return -1;
    if (!in_line) line_start[number] = at;
    int64_t from = at, size = extent(t, p + at, &shape[records]);
    at += size;
    if (p[at] == 0 || p[at] == 0x1b) {
      while (p[at] != '\n' && p[at] != '\r') at++;
      int64_t clean = side;
      for (int64_t i = from; i < at;) {
        int64_t skip = code(p + i, p + at);
        if (skip) i += skip; else p[side++] = p[i++];
      }
      from = clean; size = side - clean;
      shape[records] = shape_of(t, p + from, size);
    }
    start[records] = from;
    length[records] = (int32_t)size;
    line[records] = (int32_t)number;
    state[records++] = in_line;
    if (p[at++] == '\r') in_line++; else { in_line = 0; number++; }
  }
  if (in_line) { /* the chunk ends with a CR: nothing follows it, which is a record too */
    if (records == room) return -1;
    start[records] = n; length[records] = 0; shape[records] = shape_of(t, p + n, 0);
    line[records] = (int32_t)number++;
    state[records++] = in_line;
  }
  *lines = number;
  return records;
}
