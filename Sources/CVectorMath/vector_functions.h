// Vector functions at one width. Included once per instruction set, with these defined:
// NAME(x), TARGET, WIDTH, VEC, LOAD, STORE, SET, ADD, DIV, MAX, ABS, NEG, EXP, LOG, LOG1P, TANH.
//
// The last, partial vector goes through the same function on a padded copy, so an element's result
// does not depend on where it stands.

#define MAP(NAME_OF_FUNCTION, EXPRESSION)                                              \
  TARGET static void NAME(NAME_OF_FUNCTION)(const float *x, float *y, size_t n) {      \
    size_t i = 0;                                                                      \
    for (; i + WIDTH <= n; i += WIDTH) {                                               \
      VEC v = LOAD(x + i);                                                             \
      STORE(y + i, EXPRESSION);                                                        \
    }                                                                                  \
    if (i < n) {                                                                       \
      float padded[WIDTH];                                                             \
      for (size_t k = 0; k < WIDTH; k++) padded[k] = i + k < n ? x[i + k] : 1.0f;      \
      VEC v = LOAD(padded);                                                            \
      STORE(padded, EXPRESSION);                                                       \
      for (size_t k = 0; i + k < n; k++) y[i + k] = padded[k];                         \
    }                                                                                  \
  }

MAP(exp, EXP(v))
MAP(log, LOG(v))
MAP(tanh, TANH(v))
MAP(sigmoid, DIV(SET(1.0f), ADD(SET(1.0f), EXP(NEG(v)))))
MAP(softplus, ADD(MAX(SET(0.0f), v), LOG1P(EXP(NEG(ABS(v))))))

TARGET static void NAME(map)(cvm_function f, const float *x, float *y, size_t n) {
  switch (f) {
    case cvm_exp: NAME(exp)(x, y, n); return;
    case cvm_log: NAME(log)(x, y, n); return;
    case cvm_tanh: NAME(tanh)(x, y, n); return;
    case cvm_sigmoid: NAME(sigmoid)(x, y, n); return;
    case cvm_softplus: NAME(softplus)(x, y, n); return;
  }
}

#undef MAP
#undef NAME
#undef TARGET
#undef WIDTH
#undef VEC
#undef LOAD
#undef STORE
#undef SET
#undef ADD
#undef DIV
#undef MAX
#undef ABS
#undef NEG
#undef EXP
#undef LOG
#undef LOG1P
#undef TANH
