/* A battery of TestU01 on 32-bit numbers from a pipe: "crush small" or "crush medium".
 *
 * Prints a line "p,<test>,<p-value>" for each statistic, between the reports of TestU01 itself. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <TestU01.h>

static unsigned int numbers[1 << 14];
static size_t left = 0;

static unsigned int next_number(void)
{
    const size_t all = sizeof numbers / sizeof numbers[0];
    if (left == 0) {
        if (fread(numbers, sizeof numbers[0], all, stdin) != all) {
            fputs("the pipe has ended\n", stderr);
            exit(2);
        }
        left = all;
    }
    return numbers[all - left--];
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "small") && strcmp(argv[1], "medium"))) {
        fputs("crush small|medium\n", stderr);
        return 2;
    }
    swrite_Basic = FALSE;
    unif01_Gen *generator = unif01_CreateExternGenBits("pipe", next_number);
    if (strcmp(argv[1], "small") == 0)
        bbattery_SmallCrush(generator);
    else
        bbattery_Crush(generator);
    for (int test = 0; test < bbattery_NTests; test++)
        printf("p,%s,%.17g\n", bbattery_TestNames[test], bbattery_pVal[test]);
    unif01_DeleteExternGenBits(generator);
    return 0;
}
