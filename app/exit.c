/* exit.c - see exit.h. */
#include "app/exit.h"

#include "engine/engine.h"

int exit_of_engine(int error)
{
    switch (error) {
    case ENGINE_EMODEL: return EXIT_MODEL;
    case ENGINE_EMEMORY: return EXIT_DEVICE;
    case ENGINE_EFIT: return EXIT_FIT;
    case ENGINE_EINPUT: return EXIT_USAGE;
    default: return EXIT_ANSWER;
    }
}
