#include "app/commands/commands.h"

int main(int argc, char** argv) { return tapal::app::run_command_line(argc, argv); }
