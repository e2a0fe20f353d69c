"""What is known of torch's operators: which round, which sum, and by how much honest code differs.

Names are those of `aten`; an in-place operator is looked up without its trailing underscore.
"""

from __future__ import annotations

EXACT = frozenset(
    # Views, copies and what moves values
    """
    alias as_strided broadcast_to cat chunk clone constant_pad_nd contiguous copy copy_ detach
    diag diag_embed diagonal expand expand_as flip fill fill_ gather index index_copy index_put
    _index_put_impl index_select lift lift_fresh lift_fresh_copy masked_fill masked_scatter
    masked_select movedim narrow permute pixel_shuffle pixel_unshuffle reflection_pad1d
    reflection_pad2d replication_pad1d replication_pad2d repeat repeat_interleave reshape resize
    roll rot90 scatter select select_scatter set_ slice slice_scatter split split_with_sizes
    squeeze stack t take take_along_dim tile to _to_copy transpose tril triu unbind unfold unsafe_view
    _unsafe_view _reshape_alias unsqueeze view view_as where zeros_like ones_like empty_like
    full_like new_zeros new_ones new_empty new_full new_empty_strided zero_ embedding
    unsafe_split im2col
    """.split()
    # Comparisons, choices, signs
    + """
    abs all amax amin aminmax any argmax argmin argsort bitwise_and bitwise_not bitwise_or
    bitwise_xor ceil clamp clamp_max clamp_min clip cummax cummin eq equal floor fmax fmin ge gt
    hardtanh heaviside isfinite isinf isnan isneginf isposinf kthvalue le lt logical_and
    logical_not logical_or logical_xor max max_pool2d_with_indices max_pool3d_with_indices
    _adaptive_max_pool2d maximum median min minimum mode msort nan_to_num ne neg nonzero relu
    relu6 round searchsorted sgn sign signbit sort threshold topk trunc unique bucketize
    threshold_backward max_pool2d_with_indices_backward _local_scalar_dense is_nonzero histc
    real imag conj resolve_conj resolve_neg view_as_real view_as_complex copysign
    """.split()
    # Factories
    + """
    arange empty empty_strided eye full linspace logspace ones rand randint randn randperm
    scalar_tensor zeros tril_indices triu_indices bernoulli multinomial
    """.split()
)
"""Operators that move or choose values, or make them from nothing; they do not round."""

COMPOSITE = frozenset(
    """
    _softmax _log_softmax _safe_softmax native_layer_norm native_group_norm native_batch_norm
    _native_batch_norm_legit _native_batch_norm_legit_functional cudnn_batch_norm
    _native_batch_norm_legit_no_training _batch_norm_with_update _batch_norm_no_update
    _batch_norm_with_update_functional _fused_rms_norm var std var_mean std_mean logsumexp silu gelu
    mish elu glu hardswish hardsigmoid mse_loss l1_loss smooth_l1_loss huber_loss
    binary_cross_entropy binary_cross_entropy_with_logits soft_margin_loss addcmul addcdiv lerp
    linalg_vector_norm logaddexp logaddexp2 _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_attention_math xlogy
    _softmax_backward_data _log_softmax_backward_data native_layer_norm_backward
    native_group_norm_backward native_batch_norm_backward gelu_backward silu_backward
    mish_backward elu_backward glu_backward hardswish_backward hardsigmoid_backward
    sigmoid_backward tanh_backward softplus_backward mse_loss_backward smooth_l1_loss_backward
    huber_loss_backward log_sigmoid_backward _fused_rms_norm_backward
    _weight_norm_interface celu selu
    """.split()
)
"""Operators of several steps, which are taken apart where torch has a decomposition."""

SUMS = frozenset(
    """
    sum mean nansum nanmean cumsum scatter_add index_add scatter_reduce segment_reduce trace
    avg_pool1d avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d embedding_bag
    _embedding_bag index_put logcumsumexp
    """.split()
)
"""Sums of terms: linear in their floating arguments."""

DOTS = frozenset(
    """
    mm bmm addmm baddbmm mv addmv dot vdot addbmm matmul linear convolution _convolution
    mkldnn_convolution cudnn_convolution convolution_overrideable _addmm_activation
    _trilinear einsum
    """.split()
)
"""Sums of products: linear in each floating argument."""

PRODUCTS = frozenset("prod cumprod".split())

ULPS = {
    **dict.fromkeys("add sub mul rsub square addcmul muladd".split(), 1.0),
    **dict.fromkeys("div reciprocal sqrt rsqrt exp exp2 log log2 sigmoid erf".split(), 4.0),
    **dict.fromkeys("pow cosh sinh tan asin acos atan2 erfc erfinv".split(), 16.0),
    **dict.fromkeys("lgamma digamma polygamma i0 i1 mvlgamma special_zeta".split(), 32.0),
    **dict.fromkeys(("sum", "mean", "cumsum", *DOTS), 1.0),
}
"""Relative error of one operator, in units of the roundoff of float32; 4 if it is not listed.

Twice the ulps that Triton's libraries and approximate instructions have: 2 for division, square
roots, exponentials and logarithms.
"""

ABSOLUTE = {
    **dict.fromkeys("tanh log1p expm1 softplus log_sigmoid_forward elu logit log".split(), 2.0),
    **dict.fromkeys("sin cos tan sinh asinh atanh atan".split(), 2.0),
    **dict.fromkeys("erf erfc".split(), 4.0),
}
"""Error, in units of the roundoff, of operators that kernels spell by way of numbers near 1."""
