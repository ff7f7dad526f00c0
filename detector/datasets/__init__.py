"""Public data sets by name: one file an adapter, loaded on use. An adapter turns a tree on disk into `Sample`s."""

from __future__ import annotations

from sfumato.registry import Registry

REGISTRY = Registry(
    "data set",
    {
        "av-deepfake1m": "detector.datasets.adapters.av_deepfake1m:AVDeepfake1M",
        "celeb-df-v1": "detector.datasets.adapters.celeb_df:CelebDFv1",
        "celeb-df-v2": "detector.datasets.adapters.celeb_df:CelebDFv2",
        "csv": "detector.datasets.table:Table",
        "deepfake-eval-2024": "detector.datasets.adapters.deepfake_eval_2024:DeepfakeEval2024",
        "deeperforensics": "detector.datasets.adapters.deeper_forensics:DeeperForensics",
        "deepfakebench": "detector.datasets.deepfakebench:DeepfakeBench",
        "df40": "detector.datasets.adapters.df40:DF40",
        "dfdc": "detector.datasets.adapters.dfdc:DFDC",
        "dfdcp": "detector.datasets.adapters.dfdc_preview:DFDCPreview",
        "fakeavceleb": "detector.datasets.adapters.fake_av_celeb:FakeAVCeleb",
        "faceforensics": "detector.datasets.adapters.face_forensics:FaceForensics",
        "folder": "detector.datasets.folder:LabelledFolder",
        "forgerynet": "detector.datasets.adapters.forgery_net:ForgeryNet",
        "talkingheadbench": "detector.datasets.adapters.talking_head_bench:TalkingHeadBench",
        "wilddeepfake": "detector.datasets.adapters.wild_deepfake:WildDeepfake",
    },
)
