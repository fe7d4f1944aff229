// The part of DuckDB's C API that EmbeddedAnalytics uses (checked against DuckDB 2.0.0).
//
// Declared here so that the library alone is needed to build. Names, signatures and layouts are
// those of duckdb.h.
#ifndef CDUCKDB_H
#define CDUCKDB_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t idx_t;

typedef enum { DuckDBSuccess = 0, DuckDBError = 1 } duckdb_state;

/// Type ids as published: 1 boolean … 11 double, 17 varchar, 24 list.
typedef enum {
  DUCKDB_TYPE_INVALID = 0,
  DUCKDB_TYPE_BOOLEAN = 1,
  DUCKDB_TYPE_TINYINT = 2,
  DUCKDB_TYPE_SMALLINT = 3,
  DUCKDB_TYPE_INTEGER = 4,
  DUCKDB_TYPE_BIGINT = 5,
  DUCKDB_TYPE_UTINYINT = 6,
  DUCKDB_TYPE_USMALLINT = 7,
  DUCKDB_TYPE_UINTEGER = 8,
  DUCKDB_TYPE_UBIGINT = 9,
  DUCKDB_TYPE_FLOAT = 10,
  DUCKDB_TYPE_DOUBLE = 11,
  DUCKDB_TYPE_TIMESTAMP = 12,
  DUCKDB_TYPE_DATE = 13,
  DUCKDB_TYPE_HUGEINT = 16,
  DUCKDB_TYPE_VARCHAR = 17,
  DUCKDB_TYPE_DECIMAL = 19,
  DUCKDB_TYPE_LIST = 24,
  DUCKDB_TYPE_SQLNULL = 36,
} duckdb_type;

typedef struct _duckdb_database { void *internal_ptr; } *duckdb_database;
typedef struct _duckdb_connection { void *internal_ptr; } *duckdb_connection;
typedef struct _duckdb_config { void *internal_ptr; } *duckdb_config;
typedef struct _duckdb_prepared_statement { void *internal_ptr; } *duckdb_prepared_statement;
typedef struct _duckdb_logical_type { void *internal_ptr; } *duckdb_logical_type;
typedef struct _duckdb_data_chunk { void *internal_ptr; } *duckdb_data_chunk;
typedef struct _duckdb_vector { void *internal_ptr; } *duckdb_vector;

typedef struct {
  idx_t deprecated_column_count;
  idx_t deprecated_row_count;
  idx_t deprecated_rows_changed;
  void *deprecated_columns;
  char *deprecated_error_message;
  void *internal_data;
} duckdb_result;

typedef struct {
  uint64_t offset;
  uint64_t length;
} duckdb_list_entry;

/// A string of at most 12 bytes stands inline, a longer one behind a pointer.
typedef struct {
  union {
    struct {
      uint32_t length;
      char prefix[4];
      char *ptr;
    } pointer;
    struct {
      uint32_t length;
      char inlined[12];
    } inlined;
  } value;
} duckdb_string_t;

const char *duckdb_library_version(void);
void duckdb_free(void *pointer);

duckdb_state duckdb_create_config(duckdb_config *out_config);
duckdb_state duckdb_set_config(duckdb_config config, const char *name, const char *option);
void duckdb_destroy_config(duckdb_config *config);
duckdb_state duckdb_open_ext(
    const char *path, duckdb_database *out_database, duckdb_config config, char **out_error);
void duckdb_close(duckdb_database *database);
duckdb_state duckdb_connect(duckdb_database database, duckdb_connection *out_connection);
void duckdb_disconnect(duckdb_connection *connection);
void duckdb_interrupt(duckdb_connection connection);

duckdb_state duckdb_query(
    duckdb_connection connection, const char *query, duckdb_result *out_result);
void duckdb_destroy_result(duckdb_result *result);
const char *duckdb_result_error(duckdb_result *result);
idx_t duckdb_column_count(duckdb_result *result);
idx_t duckdb_rows_changed(duckdb_result *result);
const char *duckdb_column_name(duckdb_result *result, idx_t column);
duckdb_type duckdb_column_type(duckdb_result *result, idx_t column);
duckdb_logical_type duckdb_column_logical_type(duckdb_result *result, idx_t column);
duckdb_type duckdb_get_type_id(duckdb_logical_type type);
duckdb_logical_type duckdb_list_type_child_type(duckdb_logical_type type);
void duckdb_destroy_logical_type(duckdb_logical_type *type);

duckdb_state duckdb_prepare(
    duckdb_connection connection, const char *query, duckdb_prepared_statement *out_statement);
const char *duckdb_prepare_error(duckdb_prepared_statement statement);
void duckdb_destroy_prepare(duckdb_prepared_statement *statement);
idx_t duckdb_nparams(duckdb_prepared_statement statement);
duckdb_state duckdb_bind_boolean(duckdb_prepared_statement statement, idx_t index, bool value);
duckdb_state duckdb_bind_int64(duckdb_prepared_statement statement, idx_t index, int64_t value);
duckdb_state duckdb_bind_double(duckdb_prepared_statement statement, idx_t index, double value);
duckdb_state duckdb_bind_varchar_length(
    duckdb_prepared_statement statement, idx_t index, const char *value, idx_t length);
duckdb_state duckdb_bind_null(duckdb_prepared_statement statement, idx_t index);
duckdb_state duckdb_execute_prepared(
    duckdb_prepared_statement statement, duckdb_result *out_result);
duckdb_state duckdb_execute_prepared_streaming(
    duckdb_prepared_statement statement, duckdb_result *out_result);

duckdb_data_chunk duckdb_fetch_chunk(duckdb_result result);
idx_t duckdb_data_chunk_get_size(duckdb_data_chunk chunk);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk chunk, idx_t column);
void duckdb_destroy_data_chunk(duckdb_data_chunk *chunk);
void *duckdb_vector_get_data(duckdb_vector vector);
uint64_t *duckdb_vector_get_validity(duckdb_vector vector);
duckdb_vector duckdb_list_vector_get_child(duckdb_vector vector);
idx_t duckdb_list_vector_get_size(duckdb_vector vector);

#endif
