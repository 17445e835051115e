// The headers nearly every test needs, parsed once.
#pragma once

#include "product_pch.h"

#include <gtest/gtest.h>
