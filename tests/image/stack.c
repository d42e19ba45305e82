/* Stacks frames, for tests/image/run-stack and for measurements by hand.
 *
 *     stack [--quality Q] [--runs N] OUT.jpg FRAME.jpg...
 *
 * Prints one JSON object: the alignment of the frames (warps: matrices of two rows, from
 * the pixels of the middle frame to those of each frame), which ones were aligned, the
 * seconds of the fastest run, its CPU seconds, and the peak memory of the process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tasks/stack/stack.h"

struct options {
	int quality, runs;
	const char *out;
	char **frames;
	int count;
};

static int read_frame(void *context, int frame, char **bytes, size_t *size,
		      struct err *err)
{
	const struct options *options = context;
	FILE *file = fopen(options->frames[frame], "rb");
	long length = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		length = ftell(file);
	if (length < 0) {
		if (file)
			fclose(file);
		return err_set(err, -1, "cannot read %s", options->frames[frame]);
	}
	rewind(file);
	*bytes = malloc((size_t)length + 1);
	*size = *bytes ? fread(*bytes, 1, (size_t)length, file) : 0;
	fclose(file);
	return 0;
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_warps(const struct stack_report *report, int count)
{
	printf("{\"width\":%d,\"height\":%d,\"warps\":[", report->layout.width,
	       report->layout.height);
	for (int i = 0; i < count; i++) {
		double m[6];

		warp_matrix(&report->warps[i], report->layout.width,
			    report->layout.height, m);
		printf("%s[[%.9f,%.9f,%.6f],[%.9f,%.9f,%.6f]]", i ? "," : "", m[0], m[1],
		       m[2], m[3], m[4], m[5]);
	}
	printf("],\"aligned\":[");
	for (int i = 0; i < count; i++)
		printf("%s%s", i ? "," : "", report->aligned[i] ? "true" : "false");
	printf("],\"gains\":[");
	for (int i = 0; i < count; i++)
		printf("%s%.4f", i ? "," : "", report->warps[i].gain);
	printf("]");
}

static int write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");
	size_t written = file ? fwrite(bytes, 1, size, file) : 0;

	return file && fclose(file) == 0 && written == size ? 0 : -1;
}

static int run(struct options *options)
{
	struct stack_job job = {.count = options->count,
				.read = read_frame,
				.context = options,
				.quality = options->quality};
	struct stack_report *report = calloc(1, sizeof(*report));
	double best = 1e9, used = 0;
	struct rusage usage;
	int ret = report ? 0 : -1;

	for (int i = 0; ret == 0 && i < options->runs; i++) {
		double began = seconds(CLOCK_MONOTONIC);
		double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), took;
		struct err err = {0};
		void *jpeg = NULL;
		size_t size;

		ret = stack_make(&job, report, &jpeg, &size, &err);
		took = seconds(CLOCK_MONOTONIC) - began;
		if (took < best) {
			best = took;
			used = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		}
		if (ret < 0)
			fprintf(stderr, "stack: %s\n", err.text);
		else
			ret = write_file(options->out, jpeg, size);
		free(jpeg);
	}
	if (ret == 0) {
		getrusage(RUSAGE_SELF, &usage);
		print_warps(report, options->count);
		printf(",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"peak_kb\":%ld}\n", best,
		       used, usage.ru_maxrss);
	}
	free(report);
	return ret < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options = {.quality = 0, .runs = 1};
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		int *option =
			strcmp(argv[at], "--runs") ? &options.quality : &options.runs;

		*option = atoi(argv[at + 1]);
	}
	if (argc - at < 2 || argc - at - 1 > STACK_FRAMES) {
		fprintf(stderr, "usage: stack [--quality Q] [--runs N] OUT.jpg "
				"FRAME.jpg...\n");
		return 2;
	}
	options.out = argv[at];
	options.frames = argv + at + 1;
	options.count = argc - at - 1;
	return run(&options);
}
