#ifndef APUS_CSV_SCAN_H
#define APUS_CSV_SCAN_H

#include <stddef.h>
#include <stdint.h>

/// The bytes that structure a CSV file. Without quoting, `has_quote` is 0.
typedef struct {
  uint8_t delimiter;
  uint8_t newline;
  uint8_t quote;
  uint8_t has_quote;
} apus_csv_dialect;

/// What one call hands to the next. All zero but `after_structural` = 1 at the start of a record.
typedef struct {
  /// All ones inside quotes, else 0.
  uint64_t inside;
  /// 1 when the byte before was a delimiter or newline outside quotes.
  uint64_t after_structural;
  /// 1 when the byte before was a closing quote.
  uint64_t after_close;
  /// Not 0 when a byte of 0x80 or more was seen.
  uint64_t high;
  /// Not 0 when two quotes in a row were seen: a field may need unescaping.
  uint64_t doubled;
  /// Delimiters and newlines outside quotes written so far.
  size_t positions;
  /// Newlines outside quotes written so far.
  size_t records;
  /// One past the last newline outside quotes; 0 when there was none.
  size_t record_start;
} apus_csv_state;

/// Finds the delimiters and newlines outside quotes in data[from..<to] and appends their indices
/// to `positions`; `record_ends[i]` becomes the count of positions up to and with the newline of
/// record i. With `positions` NULL only the state is carried on. `positions` needs room for
/// to - from + 16 more, `record_ends` for to - from more.
/// Quotes toggle, so doubled quotes need no care. A quote that opens in the middle of a field is
/// not a quote: then the scan stops before the 64-byte block that holds it, and the result is
/// where that block starts; else the result is `to`. Indices must fit 32 bits.
size_t apus_csv_scan(
    const uint8_t *data, size_t from, size_t to, apus_csv_dialect dialect, apus_csv_state *state,
    uint32_t *positions, uint32_t *record_ends);

/// 1 when the bytes are well-formed UTF-8.
int apus_utf8_valid(const uint8_t *bytes, size_t count);

#endif
