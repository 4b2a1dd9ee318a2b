use v5.36;
use utf8;
use warnings FATAL => 'all';

# Materials of an order: what was submitted stays, what was rejected opens again, parts of a file, room in the store.

use Caportal::Sample qw(new_bmp new_png);
use Caportal::Test;
use Caportal::Test::Walk qw(is_problem);
use Compress::Zlib qw(crc32);
use Digest::SHA qw(sha256_hex);
use Test::More;

my $portal = Caportal::Test->start(allow => qr/are not those that were submitted|ended with internal/, edit => sub ($text) {
    return $text =~ s{^\s*caportal_upload_quota\s.*}{    caportal_upload_quota order=2500k account=3m;}mr;
});

sub path ($journey, $kind) { return '/api/orders/' . $journey->no . "/materials/$kind" }

sub put ($journey, $kind, $bytes = new_png()) {
    return $journey->applicant->put(path($journey, $kind), $bytes, $bytes =~ /\ABM/ ? 'image/bmp' : 'image/png');
}

my $journey = $portal->order_until('submitted');
my $no      = $journey->no;

sub set_digest () {
    my $rows = $portal->database->selectall_arrayref('SELECT kind, LOWER(HEX(m.sha256)) FROM material m'
        . ' JOIN certificate_order o ON o.id = m.order_id WHERE o.no = ? AND is_current = 1 ORDER BY kind', undef, $no);
    return sha256_hex(join '', map {"$_->[0] $_->[1]\n"} @$rows);
}

sub submitted_digest () {
    return $portal->value('SELECT LOWER(HEX(materials_sha256)) FROM certificate_order WHERE no = ?', $no);
}

subtest 'submitted' => sub {
    is submitted_digest(), set_digest(), 'the set is known by its digest';
    is_problem(put($journey, 'licence'), 409, 'wrong_state', 'nothing changes while the review has it');
};

# A picture with a byte of its data changed, one that says it is huge, one that ends early: of each nothing stays.
subtest 'damaged' => sub {
    my $draft = $portal->order_until('draft');
    my $png   = new_png();
    my $huge  = "\x89PNG\r\n\x1a\n" . pack 'Na4N2C5', 13, 'IHDR', 30_000, 30_000, 1, 0, 0, 0, 0;
    my %reason = (
        checksum        => substr($png, 0, -20) . (substr($png, -20, 1) ^. "\1") . substr($png, -19),
        too_many_pixels => $huge . pack('N', crc32(substr $huge, 12)) . substr($png, 33),
        truncated       => substr($png, 0, -12),
        order           => substr($png, 0, 8) . substr($png, 33),
    );

    for my $reason (sort keys %reason) {
        my $answer = put($draft, 'licence', $reason{$reason});
        is_problem($answer, 422, 'bad_file', "refused for $reason");
        is $answer->json->{reason}, $reason, 'and says so';
    }
    is_problem($draft->applicant->get(path($draft, 'licence')), 404, 'not_found', 'nothing was stored');
    is put($draft, 'licence', $png)->code, 201, 'the whole one is';
};

subtest 'one rejected' => sub {
    my $reviewer = $portal->staff('reviewer');
    is $reviewer->post("/staff/api/orders/$no/claim")->code, 200, 'claimed';
    is $reviewer->post("/staff/api/orders/$no/reject", {reasons => [{material => 'seal_image', code => 'blurred', text => '印章不清晰'}]})
        ->code, 200, 'the seal is rejected';
    is_problem(put($journey, 'licence'), 409, 'material_frozen', 'the licence stays');
    is_problem($journey->applicant->delete(path($journey, 'licence')), 409, 'material_frozen', 'and cannot be removed');
    is put($journey, 'seal_image')->code, 201, 'the seal is replaced';
    is put($journey, 'seal_image')->code, 201, 'and again';
    is $journey->applicant->post("/api/orders/$no/submit")->code, 200, 'submitted again';
    is submitted_digest(), set_digest(), 'as another set';
};

subtest 'changed behind the rules' => sub {
    my $reviewer = $portal->staff('reviewer');
    is $reviewer->post("/staff/api/orders/$no/claim")->code, 200, 'claimed';
    $portal->change('UPDATE material SET sha256 = REPEAT("x", 32) WHERE kind = "licence" AND is_current = 1'
        . ' AND order_id = (SELECT id FROM certificate_order WHERE no = ?)', $no);
    is $reviewer->post("/staff/api/orders/$no/approve")->code, 500, 'is not approved';
};

subtest 'room' => sub {
    my $order = $portal->order_until('draft');
    my @large = map { new_bmp(550, 550 + $_) } 0 .. 3;
    is put($order, $_->[0], $_->[1])->code, 201, "$_->[0] fits" for [licence => $large[0]], [seal_image => $large[1]];
    is_problem(put($order, 'legal_id_front', $large[2]), 413, 'quota_exceeded', 'the third does not');
    is put($order, 'legal_id_front', $large[0])->code, 201, 'bytes that are there already do';
    is put($order, 'seal_image', $large[3])->code, 201, 'and what takes the place of another';
    is_problem($order->applicant->get(path($order, 'legal_id_back')), 404, 'not_found', 'nothing is left of what did not');
};

done_testing;
