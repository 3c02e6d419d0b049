# The same rules on narrower networks, smaller tiles and fewer of them, so that all
# tables finish on two processor cores within two hours with RUNS=1.
NOTE_SCALE = Scale: small. Narrow networks from random weights, tiles of $(SIDE) pixels, about a minute of one core each: far from the settings of the paper, so compare rows with each other, and those of transformers with their lack of pre-training in mind. Without published weights the two rows of Cellpose are one network.
RUNS ?= 1
SIDE  = 96

# Cells must span more than the 16 pixels that a transformer's token sees, or a network
# without pre-training finds nothing in a minute: that rules out the fine cells of the
# usual stand-in for NT2, and whole images as tiles.
STANDIN_nt2     = usiigaci_t98g
TILES_nt2       = -s 96,160 -o 0 --edge fit -r $(SIDE) --normalize percentile --mask-suffix ''
TILES_bloodcell = -s 150 -o 0 --edge fit -r $(SIDE)
TILES_livecell  = -s 128 -o 0 --edge fit -r $(SIDE)
DRAWN_TRAIN = 12
DRAWN_TEST  = 4
DRAWN_SIZE  = 1200x900

TRAIN      = -b 8 -P auto --optimizer adamw --lr 0.001 --schedule cosine --warmup 5 --clip 5 --average 0.98
VOS_START  = 75%
VOS_SAMPLE = 10000
VOS_SELECT = 1000

# As many steps as each network makes in about a minute of one core (AMD EPYC with
# AVX-512 and bfloat16).
TRAIN_cellpose-cyto2    = --steps 190
TRAIN_cellpose-cyto3    = --steps 190
TRAIN_unetpp            = --steps 140
TRAIN_swinunet          = --steps 200
TRAIN_scaleformer       = --steps 110
TRAIN_toposeg-vit-b16   = --steps 330
TRAIN_toposeg-r50-b16   = --steps 150
TRAIN_transunet-vit-b16 = --steps 430
TRAIN_transunet-vit-l16 = --steps 340
TRAIN_transunet-r50-b16 = --steps 220
TRAIN_transunet-r50-l32 = --steps 180

NARROW = size=$(SIDE),heads=4,hidden=192,decoder=256
ARCH_cellpose-cyto2    = cellpose:width=16
ARCH_cellpose-cyto3    = cellpose:width=16
ARCH_unetpp            = unetpp:width=8
ARCH_swinunet          = swinunet:width=48,window=3
ARCH_scaleformer       = scaleformer:width=16,heads=2,size=$(SIDE)
ARCH_toposeg-vit-b16   = toposeg-vit-b16:$(NARROW),depth=4
ARCH_toposeg-r50-b16   = toposeg-r50-b16:$(NARROW),depth=4,skips=0,width=32
ARCH_transunet-vit-b16 = transunet-vit-b16:$(NARROW),depth=4
ARCH_transunet-vit-l16 = transunet-vit-l16:$(NARROW),depth=8
ARCH_transunet-r50-b16 = transunet-r50-b16:$(NARROW),depth=4,skips=0,width=32
ARCH_transunet-r50-l32 = transunet-r50-l32:$(NARROW),depth=8,skips=0,width=32
FIGURE_TILES = -s 160 -o 25% -r $(SIDE) --normalize percentile
NOTES_table4 = -n 'Windows of 150 and 128 pixels, not whole images as in the paper.'
FIGURE_INSETS = -i 60,120,180,120 -i 330,310,150,100
