// PostgreSQL's client library, libpq, looked up at run time: a server that keeps its rows in SQLite neither needs the
// library on the machine nor pays for loading it.
#pragma once
#include <postgresql/libpq-fe.h>

/// The functions in use, each of the type that libpq's own header gives it.
typedef struct slipway_libpq {
    __typeof__(&PQconnectdbParams) connectdbParams;
    __typeof__(&PQfinish) finish;
    __typeof__(&PQstatus) status;
    __typeof__(&PQtransactionStatus) transactionStatus;
    __typeof__(&PQerrorMessage) errorMessage;
    __typeof__(&PQserverVersion) serverVersion;
    __typeof__(&PQsetNoticeReceiver) setNoticeReceiver;
    __typeof__(&PQexec) exec;
    __typeof__(&PQprepare) prepare;
    __typeof__(&PQexecPrepared) execPrepared;
    __typeof__(&PQsendQueryPrepared) sendQueryPrepared;
    __typeof__(&PQsetSingleRowMode) setSingleRowMode;
    __typeof__(&PQgetResult) getResult;
    __typeof__(&PQresultStatus) resultStatus;
    __typeof__(&PQresultErrorField) resultErrorField;
    __typeof__(&PQntuples) ntuples;
    __typeof__(&PQftype) ftype;
    __typeof__(&PQgetvalue) getvalue;
    __typeof__(&PQgetlength) getlength;
    __typeof__(&PQgetisnull) getisnull;
    __typeof__(&PQcmdTuples) cmdTuples;
    __typeof__(&PQcmdStatus) cmdStatus;
    __typeof__(&PQclear) clear;
    __typeof__(&PQlibVersion) libVersion;
} slipway_libpq;

/// Loads libpq, once for the process. NULL when it or one of the functions is missing; `problem` then names why.
/// The corresponding C functions are `dlopen` and `dlsym`; may be called from any thread.
const slipway_libpq *slipway_libpq_load(const char **problem);

/// A notice receiver that drops what the server says beside its answers; libpq's own writes to standard error.
void slipway_libpq_drop_notice(void *context, const PGresult *result);
