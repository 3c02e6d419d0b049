# The same rules on narrower networks, smaller tiles and fewer of them, so that all
# tables finish on two processor cores within two hours with RUNS=1.
NOTE_SCALE = Scale: small. Narrow networks from random weights, tiles of $(SIDE) pixels, some 200 steps: far from the settings of the paper, so compare rows with each other.
RUNS ?= 1
SIDE  = 96
TILES_nt2       = -s 448,1000,full -o 35% --edge fit -r $(SIDE)
TILES_bloodcell = -s full -r $(SIDE)
TILES_livecell  = -s full -r $(SIDE)
DRAWN_TRAIN = 12
DRAWN_TEST  = 4
DRAWN_SIZE  = 1200x900

TRAIN               = -b 8 --optimizer adamw --lr 0.001
LENGTH_nt2          = -e 8
LENGTH_bloodcell    = -e 28
LENGTH_livecell     = -e 80
VOS_START_nt2       = 6
VOS_START_bloodcell = 21
VOS_START_livecell  = 60
VOS_SAMPLE          = 10000
VOS_SELECT          = 100

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
FIGURE_TILE = 448
