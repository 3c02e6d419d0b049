/* The looks of synth that have cells of their own: each lays them on an empty scene, until
 * population->coverage is reached or there is no more place, and says by what light they are seen
 * (all of *optics but what choose_flaws adds).  Private to lib/pixels. */
#ifndef PIXELS_KINDS_H
#define PIXELS_KINDS_H

#include "pixels/scene.h"

/* Rods, cocci, chains and colonies; round and budding cells.  microbes.c */
int bacteria_lay(struct scene *scene, const struct population *population, double contrast,
                 struct rng *rng, struct optics *optics, struct err *err) MUST_CHECK;
int yeast_lay(struct scene *scene, const struct population *population, double contrast,
              struct rng *rng, struct optics *optics, struct err *err) MUST_CHECK;

/* Gives cells that lie already their stain, and numbers them anew without gaps.  cytoplasm.c */
int cytoplasm_stain(struct scene *scene, const struct population *population, double contrast,
                    struct rng *rng, struct optics *optics, struct err *err) MUST_CHECK;

/* Nuclei of a section, dark on a fibrous ground or bright in haze.  tissue.c */
int tissue_lay(struct scene *scene, const struct population *population, double contrast,
               struct rng *rng, struct optics *optics, struct err *err) MUST_CHECK;

/* White cells among red ones.  smear.c */
int smear_lay(struct scene *scene, const struct population *population, double contrast,
              struct rng *rng, struct optics *optics, struct err *err) MUST_CHECK;

/* Gives cells that lie already their granules and the light.  dic.c */
void dic_see(struct scene *scene, const struct population *population, double contrast,
             struct rng *rng, struct optics *optics);

#endif
