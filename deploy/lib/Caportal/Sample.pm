package Caportal::Sample;

# People, companies and scans that never were, with right check digits: new ones at each call.

use v5.36;
use utf8;
use Caportal::Files qw(command read_file);
use Compress::Zlib qw(compress crc32);
use Exporter 'import';

our @EXPORT_OK = qw(new_person new_company new_phone id_number uscc new_jpeg new_png new_bmp new_image new_request);

my @surnames = qw(王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗);
my @given    = qw(建国 志强 海燕 晓东 丽娜 文博 思远 嘉怡 明哲 雅琴 宇航 欣然 振华 雪梅 天佑 若溪);
my @places   = qw(呼和浩特 包头 赤峰 通辽 鄂尔多斯 乌兰察布);
my @names    = qw(青城 草原 长青 敕勒川 大漠 金河 恒泰 瑞丰 蒙原 北辰);
my @trades   = qw(建筑工程 信息技术 医疗器械 园林绿化 商贸 物业服务);
my @prefixes = qw(130 135 136 138 139 150 151 158 159 176 186 188 189 198 199);

sub _one (@list) { return $list[rand @list] }

sub _digits ($count) {
    return join '', map { int rand 10 } 1 .. $count;
}

# GB 11643: 17 digits and their check character, ISO 7064 MOD 11-2.
sub id_number ($body = undef) {
    $body //= sprintf '1501%02d%04d%02d%02d%03d', 2 + rand 4, 1960 + rand 40, 1 + rand 12, 1 + rand 28, rand 1000;
    my @weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2);
    my $sum = 0;
    $sum += $weights[$_] * substr $body, $_, 1 for 0 .. 16;
    return $body . substr '10X98765432', $sum % 11, 1;
}

# GB 32100: 17 characters and their check character, MOD 31; the organisation code within by GB 11714.
sub uscc ($body = undef) {
    my $alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
    if (!defined $body) {
        my @weights = (3, 7, 9, 10, 5, 8, 4, 2);
        my $code = 'MA' . join '', map { substr '0123456789ABCDEFGHJKLMNPQRTUWXY', rand 31, 1 } 1 .. 6;
        my $sum  = 0;
        $sum += $weights[$_] * index '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr $code, $_, 1 for 0 .. 7;
        my $check = (11 - $sum % 11) % 11;
        $body = '911501' . sprintf('%02d', 2 + rand 4) . $code . ($check == 10 ? 'X' : $check);
    }
    my ($sum, $weight) = (0, 1);
    for my $character (split //, $body) {
        $sum += $weight * index $alphabet, $character;
        $weight = $weight * 3 % 31;
    }
    return $body . substr $alphabet, (31 - $sum % 31) % 31, 1;
}

sub new_phone () { return _one(@prefixes) . _digits(8) }

sub new_person () {
    return {name => _one(@surnames) . _one(@given), id_number => id_number(), mobile => new_phone()};
}

sub new_company () {
    return {
        name            => '内蒙古' . _one(@places) . _one(@names) . _digits(4) . _one(@trades) . '有限公司',
        uscc            => uscc(),
        legal_name      => _one(@surnames) . _one(@given),
        legal_id_number => id_number(),
    };
}

# A comment in the file makes each scan another one.
sub _mark () { return 'scan ' . _digits(16) }

# Baseline JPEG, grey: every block has the difference 0 and an end of block, one bit each.
sub new_jpeg ($width = 64, $height = 48) {
    my $segment = sub ($marker, $bytes) { pack 'C2na*', 0xff, $marker, 2 + length $bytes, $bytes };
    my $blocks  = int(($width + 7) / 8) * int(($height + 7) / 8);
    my $bits    = '0' x (2 * $blocks);
    $bits .= '1' x (-length($bits) % 8);

    return "\xff\xd8"
        . $segment->(0xe0, "JFIF\0" . pack 'C3n2C2', 1, 1, 1, 72, 72, 0, 0)
        . $segment->(0xfe, _mark())
        . $segment->(0xdb, pack 'C*', 0, (16) x 64)
        . $segment->(0xc0, pack 'Cn2C4', 8, $height, $width, 1, 1, 0x11, 0)
        . $segment->(0xc4, pack 'C*', 0x00, 1, (0) x 15, 0)
        . $segment->(0xc4, pack 'C*', 0x10, 1, (0) x 15, 0)
        . $segment->(0xda, pack 'C*', 1, 1, 0, 0, 63, 0)
        . pack('B*', $bits) . "\xff\xd9";
}

sub new_png ($width = 64, $height = 48) {
    my $chunk = sub ($type, $bytes) { pack 'Na4a*N', length $bytes, $type, $bytes, crc32("$type$bytes") };
    my $rows = join '', map { "\0" . chr(255) x $width } 1 .. $height;

    return "\x89PNG\r\n\x1a\n"
        . $chunk->(IHDR => pack 'N2C5', $width, $height, 8, 0, 0, 0, 0)
        . $chunk->(tEXt => "Comment\0" . _mark())
        . $chunk->(IDAT => compress($rows))
        . $chunk->(IEND => '');
}

sub new_bmp ($width = 64, $height = 48) {
    my $rows = pack('C3', map { rand 256 } 1 .. 3) x $width;
    $rows .= "\0" x (-length($rows) % 4);
    $rows x= $height;
    return pack('a2Vv2V', 'BM', 54 + length $rows, 0, 0, 54)
        . pack('Vl2v2V6', 40, $width, $height, 1, 24, 0, length $rows, 2835, 2835, 0, 0)
        . $rows;
}

# Bytes and their type, of a format taken in turn.
sub new_image () {
    state $turn = 0;
    return (
        sub { (new_jpeg(), 'image/jpeg') },
        sub { (new_png(),  'image/png') },
        sub { (new_bmp(),  'image/bmp') },
    )[$turn++ % 3]->();
}

# A key pair and its request in a folder: the PKCS#10 in DER. The key stays in $folder/holder.key.
sub new_request ($folder, @algorithm) {
    @algorithm = qw(ec -pkeyopt ec_paramgen_curve:P-256) if !@algorithm;
    command(qw(openssl req -new -nodes -newkey), @algorithm, qw(-config /dev/null -subj /CN=holder -outform DER),
        '-keyout', "$folder/holder.key", '-out', "$folder/holder.csr");
    return read_file("$folder/holder.csr");
}

1;
