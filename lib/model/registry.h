#ifndef MODEL_REGISTRY_H
#define MODEL_REGISTRY_H

struct architecture;

/* NULL-terminated. */
extern const struct architecture *const architectures[];

#endif
