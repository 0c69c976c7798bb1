// hypot and hypotf of our own, so that the command runs on glibc 2.34.
//
// The Swift runtime's overlay of the C library refers to both, and glibc 2.35 gave them a new
// version; that one reference would shut out Amazon Linux 2023 and RHEL 9. The wider type holds
// the squares without overflow, which is what hypot is for.
#include <math.h>

double hypot(double x, double y) {
  if (isinf(x) || isinf(y)) return INFINITY;
  return (double)sqrtl((long double)x * x + (long double)y * y);
}

float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) return INFINITY;
  return (float)sqrt((double)x * x + (double)y * y);
}
