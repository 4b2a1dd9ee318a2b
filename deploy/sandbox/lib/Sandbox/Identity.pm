package Sandbox::Identity;

# The real-name products: which question is well formed, and what the
# registry's record says to it.

use v5.36;
use utf8;
use warnings FATAL => 'all';

use Exporter qw(import);
use Sandbox::Value qw(is_text);

our @EXPORT_OK = qw(check_question product verdict);

# The key finds the record; the other fields are compared with it.
my %PRODUCTS = (
  MOBILE_3 => {
    list   => 'people',
    key    => 'idNo',
    fields => {idNo => 'id_number', name => 'name', mobile => 'mobile'},
  },
  ID_2 => {
    list   => 'people',
    key    => 'idNo',
    fields => {idNo => 'id_number', name => 'name'},
  },
  ENT_4 => {
    list   => 'organizations',
    key    => 'uscc',
    fields => {
      uscc      => 'uscc',
      orgName   => 'name',
      legalName => 'legal_name',
      legalIdNo => 'legal_id_number',
    },
  },
);

my %TOP = map { $_ => 1 } qw(requestId product subject consentId callback);

# Every field that some product takes; a caller may leave the others empty.
my %SUBJECT = map { $_ => 1 }
  qw(name idType idNo mobile bankCard orgName uscc legalName legalIdNo account bankName cnaps);

sub product ($name) { return $PRODUCTS{$name} }

# Returns all that is wrong with a question as [{field, reason}].
sub check_question ($question) {
  return [{field => '', reason => 'must be a JSON object'}] if ref $question ne 'HASH';
  my @wrong = map { {field => $_, reason => 'is unknown'} }
    grep { !$TOP{$_} } sort keys %$question;
  for my $field (qw(requestId product consentId)) {
    push @wrong, _check_text($field, $question->{$field}, 64);
  }
  push @wrong, _check_text('callback', $question->{callback}, 512)
    if ($question->{callback} // '') ne '';
  push @wrong, {field => 'product', reason => 'is unknown'}
    if is_text($question->{product}) && $question->{product} ne '' && !product($question->{product});
  return [@wrong, _check_subject($question)];
}

sub _check_subject ($question) {
  my ($name, $subject) = @$question{qw(product subject)};
  return {field => 'subject', reason => 'must be an object'} if ref $subject ne 'HASH';
  my $product  = is_text($name) ? product($name) : undef;
  my %required = $product ? %{$product->{fields}} : ();
  my @wrong;
  for my $field (sort keys %{{%$subject, %required}}) {
    my $value = $subject->{$field};
    if (!$SUBJECT{$field}) {
      push @wrong, {field => "subject.$field", reason => 'is unknown'};
    }
    elsif ($required{$field}) {
      push @wrong, _check_text("subject.$field", $value, 200);
    }
    elsif (!is_text($value)) {
      push @wrong, {field => "subject.$field", reason => 'must be text'};
    }
  }
  return @wrong;
}

sub _check_text ($field, $value, $longest) {
  return {field => $field, reason => 'is missing'} if !defined $value || (!ref $value && $value eq '');
  return {field => $field, reason => 'must be text'} if !is_text($value);
  return if length $value <= $longest;
  return {field => $field, reason => "may have at most $longest characters"};
}

# Returns the verdict and, for a known key, each field's own.
sub verdict ($product, $subject, $record) {
  return ('NO_RECORD', {}) if !$record;
  my $names = $product->{fields};
  my %flags = map { $_ => _same($_, $subject->{$_}, $record->{$names->{$_}}) } keys %$names;
  my $all   = grep({ $_ eq 'MISMATCH' } values %flags) ? 'MISMATCH' : 'MATCH';
  return ($all, \%flags);
}

# The X of a number may be written small; a name must be the same throughout.
sub _same ($field, $given, $known) {
  $given = uc $given if $field =~ /idNo|uscc|legalIdNo/;
  return $given eq $known ? 'MATCH' : 'MISMATCH';
}

1;
