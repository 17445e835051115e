// HTTP requests and responses as values (RFC 9110). Their wire form is a driver's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "values/http/url.h"

namespace tapal::http {

struct Header {
  std::string name;  // case does not matter
  std::string value;
  bool operator==(const Header&) const = default;
};

struct Request {
  std::string method;  // "GET"
  Url url;             // what is asked for, made of the request line and the Host field
  std::vector<Header> headers;
  std::string body;

  // The first of that name; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 0;  // 200
  std::vector<Header> headers;
  std::string body;

  // The first of that name; empty when there is none.
  std::string_view header(std::string_view name) const;
};

}  // namespace tapal::http
