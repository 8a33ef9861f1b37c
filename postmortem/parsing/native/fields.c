/* Fields of many records at once: numbers, texts, and which rows have them. What is not read exactly is left to Python. */
#include <math.h>
#include <stdint.h>
#include <string.h>

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

/* n bytes from p to `to`: most fields are short, and one block is copied sooner than so many bytes are counted.
 * Behind `to` there is room for one; `end` is where what can be read ends. */
static inline void copy(uint8_t *to, const uint8_t *p, int64_t n, const uint8_t *end) {
  if (n <= 16 && end - p >= 16) memcpy(to, p, 16); else memcpy(to, p, (size_t)n);
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
void pm_values(const uint8_t *p, int64_t size, int64_t n, const int32_t *first, const int32_t *count, const int64_t *start,
               const int64_t *first_place, const int32_t *place, const int32_t *constants, const int32_t *offset,
               const int32_t *length, const int32_t *share, int32_t *out_place, int32_t *out_constants, double *value,
               uint8_t *done, uint8_t *text) {
  const uint8_t *end = p + size;
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int32_t j = first[i]; j < first[i] + count[i]; j++, at++) {
      const uint8_t *q = p + start[i] + offset[j];
      out_place[at] = (int32_t)first_place[i] + place[j];
      out_constants[at] = constants[j];
      done[at] = (uint8_t)number(q, length[j], share[j], &value[at]);
      copy(text, q, length[j], end);
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
int64_t pm_gather(const uint8_t *p, int64_t size, int64_t n, const int64_t *start, const int32_t *length, uint8_t *out) {
  const uint8_t *end = p + size;
  uint8_t *to = out;
  for (int64_t i = 0; i < n; i++) {
    copy(to, p + start[i], length[i], end);
    to += length[i];
    *to++ = '\n';
  }
  return to - out;
}
