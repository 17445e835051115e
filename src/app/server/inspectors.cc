#include "app/server/inspectors.h"

#include "app/config/public_suffix_file.h"

namespace tapal::app {
namespace {

dns::PublicSuffixes system_suffixes() {
  auto loaded = load_public_suffixes();
  return loaded ? *std::move(loaded) : dns::PublicSuffixes::built_in();
}

}  // namespace

Inspectors::OfLoop::OfLoop(const judge::Options& options,
                           const InspectorsWorld& with,
                           NetLoop& loop,
                           Inspectors& all)
    : http({loop, loop, with.resolver, with.tls}),
      judges(judge::make_judges(options,
                                {loop,
                                 loop,
                                 with.clock,
                                 with.log,
                                 with.resolver,
                                 http,
                                 with.programs,
                                 all.greylist_,
                                 &with.records})),
      world{loop, with.log, with.resolver, *judges, &all.suffixes_} {}

Inspectors::Inspectors(const judge::Options& options, InspectorsWorld world)
    : suffixes_(system_suffixes()), greylist_(options.greylist) {
  if (options.greylist_on) {
    if (const auto taken = greylist_.take_in(world.records); !taken)
      world.log.write(
          Level::warning, "the greylist begins empty", {{"reason", taken.error().what}});
  }
  for (std::size_t i = 0; i < world.loops.size(); ++i)
    of_loops_.push_back(std::make_unique<OfLoop>(options, world, world.loops.loop(i), *this));
}

}  // namespace tapal::app
