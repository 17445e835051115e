#include "services/upkeep/zone_authorities.h"

#include <gtest/gtest.h>

#include "services/upkeep/test_dns_world.h"

namespace tapal::upkeep {
namespace {

using Status = dns::LookupReply::Status;

AuthoritativeZone zone_of(DnsWorld& world, ZoneAuthorities& authorities, std::string name) {
  return world.loop.wait(authorities.find(world.loop, std::move(name))).value().value();
}

TEST(ZoneAuthorities, are_those_of_the_nearest_zone_above) {
  DnsWorld world;
  ZoneAuthorities authorities(world.names, world);
  const auto zone = zone_of(world, authorities, "s1._domainkey.example.com");
  EXPECT_EQ(zone.name, "example.com");
  ASSERT_EQ(zone.servers.size(), 2U);
  EXPECT_EQ(zone.servers[0].name, "ns1.example.com");
  EXPECT_EQ(zone.servers[1].addresses.front().text(), "2001:db8:53::2");
}

TEST(ZoneAuthorities, are_none_where_nobody_serves_the_name) {
  DnsWorld world;
  ZoneAuthorities authorities(world.names, world);
  const auto none = world.loop.wait(authorities.find(world.loop, "example.org")).value();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
}

TEST(ZoneAuthorities, are_each_asked_themselves) {
  DnsWorld world("mail A 192.0.2.1\n");
  world.second.set({"mail.example.com", dns::Type::a, {}, {*IpAddress::from_text("192.0.2.9")}});
  ZoneAuthorities authorities(world.names, world);
  const auto zone = zone_of(world, authorities, "example.com");
  const dns::Lookup lookup{"mail.example.com", dns::Type::a};
  const auto answers = world.loop.wait(authorities.ask_all(world.loop, zone, lookup)).value();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(std::get<IpAddress>(answers[0].reply->records.at(0).data).text(), "192.0.2.1");
  EXPECT_EQ(std::get<IpAddress>(answers[1].reply->records.at(0).data).text(), "192.0.2.9");
  EXPECT_TRUE(world.connected.contains(*Endpoint::from_text("[2001:db8:53::2]:53")));
}

TEST(ZoneAuthorities, tell_no_such_name_from_no_such_record) {
  DnsWorld world("mail A 192.0.2.1\nalias CNAME mail\n");
  ZoneAuthorities authorities(world.names, world);
  const auto zone = zone_of(world, authorities, "example.com");
  const auto ask = [&](std::string name, dns::Type type) {
    const dns::Lookup lookup{std::move(name), type};
    return world.loop.wait(authorities.ask(world.loop, zone.servers[0], lookup)).value().reply;
  };
  EXPECT_EQ(ask("mail.example.com", dns::Type::mx)->status, Status::no_data);
  EXPECT_EQ(ask("none.example.com", dns::Type::mx)->status, Status::no_such_name);
  EXPECT_EQ(ask("alias.example.com", dns::Type::a)->records.size(), 1U);
}

TEST(ZoneAuthorities, say_who_does_not_answer) {
  DnsWorld world;
  world.unreachable = {*IpAddress::from_text("2001:db8:53::2")};
  ZoneAuthorities authorities(world.names, world);
  const auto zone = zone_of(world, authorities, "example.com");
  const dns::Lookup lookup{"example.org", dns::Type::a};
  const auto answers = world.loop.wait(authorities.ask_all(world.loop, zone, lookup)).value();
  EXPECT_EQ(answers[0].reply.error().code, Code::denied);  // not a name of its zone
  EXPECT_EQ(answers[1].reply.error().code, Code::try_later);
  EXPECT_EQ(answers[1].server, "ns2.example.com");
}

}  // namespace
}  // namespace tapal::upkeep
