/* What the records of a chunk are there for (`sift.py`): which lines are blank or unread, which records hold rows, and
 * which give their step to those after them. `traits` are bits by record, those of sift.py; `chosen` is its template. */
#include <stdint.h>
#include <string.h>

enum { READ = 1, BLANK = 2, CUT = 4, SLOW = 8, CARRIES = 32, PLACED = 64, ALONE = 128 };

/* Bits of each line: READ, CUT, and BLANK where nothing is on it. The records that hold rows; the first ones of blank
 * lines, but for those right below a heading; of each template how many records it has, and the first.
 * `found`: how many of both lists there are, the first record that is not blank, whether the last of them is a heading. */
void pm_sift(int64_t n, const uint8_t *traits, const int32_t *chosen, const int32_t *line, uint8_t *of_line,
             int64_t *filled, int64_t *clearing, int64_t *counts, int64_t *first, int64_t *found) {
  int64_t fills = 0, clears = 0, spoken = n, heads = -1;
  for (int64_t i = 0; i < n;) {
    int64_t begins = i, headed = heads;
    uint8_t bits = BLANK;
    for (int32_t number = line[i]; i < n && line[i] == number; i++) {
      uint8_t trait = traits[i];
      if (chosen[i] >= 0 && !counts[chosen[i]]++) first[chosen[i]] = i;
      if (trait & PLACED) filled[fills++] = i;
      bits |= trait & CUT;
      if (trait & BLANK) continue;
      bits = (uint8_t)((bits | (trait & READ)) & ~BLANK);
      heads = (trait & CARRIES) != 0;
      if (spoken == n) spoken = i;
    }
    of_line[line[begins]] = bits;
    if ((bits & BLANK) && headed != 1) clearing[clears++] = begins;
  }
  found[0] = fills; found[1] = clears; found[2] = spoken; found[3] = heads;
}

/* The records that carry, but for bars that run while a longer one does. -1 where a total is no plain whole number. */
int64_t pm_carriers(int64_t n, const uint8_t *traits, const int32_t *chosen, const uint8_t *p, const int64_t *start,
                    const int32_t *total, const int32_t *total_length, int64_t most, int64_t *found, uint8_t *bar) {
  int64_t size[64], begins[64], ends[64], kinds = 0, count = 0;
  uint8_t inner[65] = {0}; /* the last one is that of records without a total */
  if (most > 64) most = 64;
  for (int64_t i = 0; i < n; i++) {
    if ((traits[i] & (CARRIES | ALONE)) != CARRIES) continue;
    int32_t length = total_length[chosen[i]];
    int64_t k = 64;
    if (length > 0) {
      const uint8_t *q = p + start[i] + total[chosen[i]];
      int64_t value = 0;
      if (length > 18) return -1;
      for (int32_t j = 0; j < length; j++) {
        if (q[j] == ',') continue;
        if (q[j] < '0' || q[j] > '9') return -1;
        value = value * 10 + (q[j] - '0');
      }
      for (k = 0; k < kinds && size[k] != value; k++) {}
      if (k == kinds && kinds < most) { size[k] = value; begins[k] = i; kinds++; }
      if (k < kinds) ends[k] = i; else k = 64;
    }
    bar[count] = (uint8_t)k;
    found[count++] = i;
  }
  for (int64_t c = 0; c < count; c++) {
    int64_t k = bar[c], i = found[c];
    for (int64_t l = 0; k < 64 && !inner[k] && l < kinds; l++)
      if (size[l] > size[k] && i > begins[l] && i < ends[l]) inner[k] = 1;
  }
  int64_t kept = 0;
  for (int64_t c = 0; c < count; c++) if (!inner[bar[c]]) found[kept++] = found[c];
  return kept;
}

/* Of the carriers that print a field of `length`, the last before each record that has rows, and the last of all. */
int64_t pm_last(const uint8_t *traits, const int32_t *chosen, int64_t carriers, const int64_t *found,
                const int32_t *length, int64_t *last) {
  int64_t pending = -1, kept = 0, i = 0;
  for (int64_t c = 0; c < carriers; c++) {
    if (length[chosen[found[c]]] < 0) continue;
    if (pending >= 0)
      while (i <= found[c] && !(traits[i] & (PLACED | SLOW | ALONE))) i++;
    if (pending >= 0 && i <= found[c]) last[kept++] = pending;
    pending = found[c];
    i = pending + 1;
  }
  if (pending >= 0) last[kept++] = pending;
  return kept;
}

/* The places of rows, `count` from `first` on for each template, of `n` records, and which place is the first of each. */
void pm_places(int64_t n, const int64_t *filled, const int32_t *chosen, const int32_t *first, const int32_t *count,
               const int32_t *constants, const int32_t *line, const int32_t *state, int64_t *out_record,
               int32_t *out_line, int32_t *out_state, int32_t *out_constants, int64_t *first_place) {
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t record = filled[i], row = first[chosen[record]], end = row + count[chosen[record]];
    first_place[i] = at;
    for (; row < end; row++, at++) {
      out_record[at] = record;
      out_line[at] = line[record];
      out_state[at] = state[record];
      out_constants[at] = constants[row];
    }
  }
}

/* Of the rows of these records, numbered through, those that have a field, where it stands and how long it is. */
int64_t pm_some(int64_t n, const int64_t *filled, const int32_t *chosen, const int32_t *first, const int32_t *count,
                const int64_t *start, const int32_t *offset, const int32_t *length, int64_t *at, int64_t *from,
                int32_t *size) {
  int64_t number = 0, found = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t record = filled[i], row = first[chosen[record]], end = row + count[chosen[record]];
    for (; row < end; row++, number++) {
      if (length[row] < 0) continue;
      at[found] = number;
      from[found] = start[record] + offset[row];
      size[found++] = length[row];
    }
  }
  return found;
}

/* For each of `n` records in order, the last of `m` rows in order whose own record comes before it. */
void pm_before(int64_t n, const int64_t *record, int64_t m, const int64_t *held, int64_t *row) {
  int64_t j = 0;
  for (int64_t i = 0; i < n; i++) {
    while (j < m && held[j] < record[i]) j++;
    row[i] = j - 1;
  }
}
