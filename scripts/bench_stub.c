/* The agent of the measurements. It stamps CLOCK_MONOTONIC first thing and last thing, so that its own start costs
   nothing, and is the same program as bench_stub.py.

   stub work STAMPS          append a line to notes.txt, say TASK_COMPLETE
   stub flood STAMPS BYTES   print so many bytes in lines of 80, then the same
   stub hold STAMPS          as work, but leave a child behind that holds standard output open for a minute */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct timespec now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static void put(int fd, const char *text, size_t size) {
    while (size) {
        ssize_t count = write(fd, text, size);
        if (count <= 0) _exit(1);
        text += count;
        size -= count;
    }
}

static void append(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    put(fd, text, strlen(text));
    close(fd);
}

static void flood(long long bytes) {
    static char block[80 * 819];
    memset(block, 'x', sizeof block);
    for (size_t at = 79; at < sizeof block; at += 80) block[at] = '\n';
    for (; bytes > 0; bytes -= sizeof block) put(1, block, sizeof block);
}

int main(int count, char **words) {
    struct timespec start = now(), end;
    char line[128];
    if (count < 3) return 2;
    append("notes.txt", "done\n");
    if (!strcmp(words[1], "flood") && count > 3) flood(atoll(words[3]));
    if (!strcmp(words[1], "hold") && fork() == 0) {
        sleep(60);
        _exit(0);
    }
    put(1, "Wrote it.\n\nTASK_COMPLETE\n", 25);
    end = now();
    snprintf(line, sizeof line, "%ld.%09ld %ld.%09ld\n", start.tv_sec, start.tv_nsec, end.tv_sec, end.tv_nsec);
    append(words[2], line);
    _exit(0);
}
