# Blood cells as the paper scored them, each image one tile of 224 pixels, with the
# narrow networks of the small scale and the longest training that fits a few minutes
# of a core: for the rows of UNet++ and TransUNet in table 4.
include pipelines/scale-small.mk
NOTE_SCALE = Scale: whole. Narrow networks from random weights, whole images at $(SIDE) pixels, about six minutes of one core each.
SIDE = 224
TILES_bloodcell = -s full -r $(SIDE)
TRAIN = -b 4 -P auto --optimizer adamw --lr 0.002 --schedule cosine --warmup 10 --clip 5 --average 0.99 -p paper,border=reflect
TRAIN_unetpp            = --steps 450
TRAIN_transunet-r50-b16 = --steps 350
ARCH_transunet-r50-b16  = transunet-r50-b16:$(NARROW),depth=4,skips=3,width=32
