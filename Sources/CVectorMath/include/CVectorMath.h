#ifndef C_VECTOR_MATH_H
#define C_VECTOR_MATH_H
#endif
