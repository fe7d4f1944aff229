// SwiftPM wants a source file in a C target; the code is in DuckDB's own library.
#include "CDuckDB.h"
