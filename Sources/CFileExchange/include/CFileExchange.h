#ifndef C_FILE_EXCHANGE_H
#define C_FILE_EXCHANGE_H

/// Swaps two names in one step (Linux `renameat2` with `RENAME_EXCHANGE`, which Swift's Glibc
/// module does not show). Returns 0, or an `errno` value.
int exchange_names(const char *first, const char *second);

#endif
