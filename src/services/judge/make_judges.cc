#include "services/judge/make_judges.h"

#include "services/judge/rspamd.h"

namespace tapal::judge {

std::unique_ptr<Judges> make_judges(const Options& options, World world) {
  auto judges = std::make_unique<Judges>(world.log);
  const DnsblJudge::World lists{world.loop, world.resolver, world.log};
  if (!options.dnsbl.empty())
    judges->add(std::make_unique<DnsblJudge>(options.dnsbl, options.dnsbl_threshold, lists),
                WhenDown::accept);
  if (options.greylist_on)
    judges->add(std::make_unique<Greylist>(
                    Greylist::World{world.loop, world.clock, world.greylist, world.records}),
                WhenDown::accept);
  for (const auto& place : options.milters)
    judges->add(std::make_unique<MilterFilter>(
                    place, options.milter, options.host_name, world.loop, world.network),
                options.milters_when_down);
  if (!options.rspamd.empty())
    judges->add(std::make_unique<Rspamd>(
                    RspamdOptions{options.rspamd, options.rspamd_time_max, options.host_name},
                    world.loop,
                    world.http),
                options.rspamd_when_down);
  for (const auto& command : options.hooks)
    judges->add(std::make_unique<Hook>(command, options.hook_time_max, world.loop, world.programs),
                options.hooks_when_down);
  return judges;
}

}  // namespace tapal::judge
