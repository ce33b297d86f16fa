/* Counts the calls that change files below a folder, and lets one of them fail or kill the process.

   Preloaded (LD_PRELOAD) by inject.py, which arms it through inject_arm. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char root[PATH_MAX];
static long seen, at;
static int how;

/* Begin to count the calls below a folder; the call of this number fails with the error `code`,
   or kills the process if `code` is 0.  With number 0 all are only counted. */
void inject_arm(const char *folder, long number, int code)
{
    snprintf(root, sizeof root, "%s", folder);
    seen = 0;
    at = number;
    how = code;
}

long inject_count(void)
{
    return seen;
}

static int is_below(const char *path)
{
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int is_file(int file)
{
    char link[64], path[PATH_MAX];
    if (!root[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

static int is_path(int folder, const char *path)
{
    char here[PATH_MAX];
    if (!root[0])
        return 0;
    if (path[0] == '/')
        return is_below(path);
    if (folder != AT_FDCWD)
        return is_file(folder);
    return getcwd(here, sizeof here) && is_below(here);
}

static int is_chosen(void)
{
    return __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) == at;
}

static int fails(void)
{
    if (!is_chosen())
        return 0;
    if (!how)
        kill(getpid(), SIGKILL);
    errno = how;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments, concerned)  \
    type name parameters                                    \
    {                                                       \
        int before = errno;                                 \
        if ((concerned) && fails())                         \
            return -1;                                      \
        errno = before;                                     \
        return REAL(name) arguments;                        \
    }
#define CHANGES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))
#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...)                                  \
    {                                                                           \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        mode_t mode = va_arg(rest, mode_t);                                     \
        va_end(rest);                                                           \
        if (CHANGES(flags) && is_path(AT_FDCWD, path) && fails())               \
            return -1;                                                          \
        return REAL(name)(path, flags, mode);                                   \
    }
#define OPENAT(name)                                                            \
    int name(int folder, const char *path, int flags, ...)                      \
    {                                                                           \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        mode_t mode = va_arg(rest, mode_t);                                     \
        va_end(rest);                                                           \
        if (CHANGES(flags) && is_path(folder, path) && fails())                 \
            return -1;                                                          \
        return REAL(name)(folder, path, flags, mode);                           \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* A process that is killed while it writes has written a part. */
ssize_t write(int file, const void *content, size_t size)
{
    if (is_file(file) && is_chosen()) {
        if (!how) {
            ssize_t part = REAL(write)(file, content, size / 2);
            (void)part;
            kill(getpid(), SIGKILL);
        }
        errno = how;
        return -1;
    }
    return REAL(write)(file, content, size);
}

WRAP(ssize_t, pwrite, (int f, const void *c, size_t n, off_t o), (f, c, n, o), is_file(f))
WRAP(ssize_t, pwrite64, (int f, const void *c, size_t n, off64_t o), (f, c, n, o), is_file(f))
WRAP(int, creat, (const char *p, mode_t m), (p, m), is_path(AT_FDCWD, p))
WRAP(int, fsync, (int f), (f), is_file(f))
WRAP(int, fdatasync, (int f), (f), is_file(f))
WRAP(int, ftruncate, (int f, off_t n), (f, n), is_file(f))
WRAP(int, ftruncate64, (int f, off64_t n), (f, n), is_file(f))
WRAP(int, fchmod, (int f, mode_t m), (f, m), is_file(f))
WRAP(int, chmod, (const char *p, mode_t m), (p, m), is_path(AT_FDCWD, p))
WRAP(int, fchmodat, (int d, const char *p, mode_t m, int g), (d, p, m, g), is_path(d, p))
WRAP(int, rename, (const char *p, const char *q), (p, q), is_path(AT_FDCWD, q))
WRAP(int, renameat, (int d, const char *p, int e, const char *q), (d, p, e, q), is_path(e, q))
WRAP(int, renameat2, (int d, const char *p, int e, const char *q, unsigned int g),
     (d, p, e, q, g), is_path(e, q))
WRAP(int, link, (const char *p, const char *q), (p, q), is_path(AT_FDCWD, q))
WRAP(int, linkat, (int d, const char *p, int e, const char *q, int g), (d, p, e, q, g),
     is_path(e, q))
WRAP(int, symlink, (const char *p, const char *q), (p, q), is_path(AT_FDCWD, q))
WRAP(int, symlinkat, (const char *p, int e, const char *q), (p, e, q), is_path(e, q))
WRAP(int, unlink, (const char *p), (p), is_path(AT_FDCWD, p))
WRAP(int, unlinkat, (int d, const char *p, int g), (d, p, g), is_path(d, p))
WRAP(int, mkdir, (const char *p, mode_t m), (p, m), is_path(AT_FDCWD, p))
WRAP(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m), is_path(d, p))
WRAP(int, rmdir, (const char *p), (p), is_path(AT_FDCWD, p))
