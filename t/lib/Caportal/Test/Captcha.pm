package Caportal::Test::Captcha;

# Who cannot see a captcha's picture is asked a sum in words: that is how a test answers one.

use v5.36;
use utf8;
use Exporter 'import';
use Mojo::Util qw(decode);

our @EXPORT_OK = qw(captcha sum_of);

my %digit = (零 => 0, 〇 => 0, 一 => 1, 二 => 2, 两 => 2, 三 => 3, 四 => 4, 五 => 5, 六 => 6, 七 => 7, 八 => 8, 九 => 9);

sub _number ($text) {
    my ($tens, $ones) = $text =~ /\A(.?)十(.?)\z/ or return $digit{$text};
    return 10 * ($tens eq '' ? 1 : $digit{$tens}) + ($ones eq '' ? 0 : $digit{$ones});
}

# What the answer to a Chinese question is.
sub sum_of ($question) {
    my ($first, $second) = map { _number($_) } $question =~ /([零〇一二两三四五六七八九十]+)/g;
    return "" . $first * $second if $question =~ /乘|每排/;
    return "" . abs $first - $second if $question =~ /减|拿走|大多少/;
    return "" . ($first + $second);
}

# The members of a body that answer a new captcha: captcha_id and captcha_answer.
sub captcha ($client) {
    my $given = $client->get('/api/captcha?kind=text', headers => {'Accept-Language' => 'zh-CN'})->json;
    return (captcha_id => $given->{id}, captcha_answer => sum_of($given->{question}));
}

1;
