#include "CPostgres.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static slipway_libpq table;
static char failure[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(failure, sizeof failure, "%s", dlerror());
        return;
    }
    const struct {
        const char *name;
        void **place;
    } functions[] = {
        {"PQconnectdbParams", (void **)&table.connectdbParams},
        {"PQfinish", (void **)&table.finish},
        {"PQstatus", (void **)&table.status},
        {"PQtransactionStatus", (void **)&table.transactionStatus},
        {"PQerrorMessage", (void **)&table.errorMessage},
        {"PQserverVersion", (void **)&table.serverVersion},
        {"PQsetNoticeReceiver", (void **)&table.setNoticeReceiver},
        {"PQexec", (void **)&table.exec},
        {"PQprepare", (void **)&table.prepare},
        {"PQexecPrepared", (void **)&table.execPrepared},
        {"PQsendQueryPrepared", (void **)&table.sendQueryPrepared},
        {"PQsetSingleRowMode", (void **)&table.setSingleRowMode},
        {"PQgetResult", (void **)&table.getResult},
        {"PQresultStatus", (void **)&table.resultStatus},
        {"PQresultErrorField", (void **)&table.resultErrorField},
        {"PQntuples", (void **)&table.ntuples},
        {"PQftype", (void **)&table.ftype},
        {"PQgetvalue", (void **)&table.getvalue},
        {"PQgetlength", (void **)&table.getlength},
        {"PQgetisnull", (void **)&table.getisnull},
        {"PQcmdTuples", (void **)&table.cmdTuples},
        {"PQcmdStatus", (void **)&table.cmdStatus},
        {"PQclear", (void **)&table.clear},
        {"PQlibVersion", (void **)&table.libVersion},
    };
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        *functions[index].place = dlsym(library, functions[index].name);
        if (!*functions[index].place) {
            snprintf(failure, sizeof failure, "libpq.so.5 has no function %s", functions[index].name);
            return;
        }
    }
}

const slipway_libpq *slipway_libpq_load(const char **problem) {
    pthread_once(&once, load);
    if (!failure[0]) return &table;
    if (problem) *problem = failure;
    return NULL;
}

void slipway_libpq_drop_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}
